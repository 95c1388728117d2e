-- Re-scorings: the rows of `analyses` judged again by another set of experts, under the number of the re-scoring. Whoever adds a column to
-- `analyses` adds it here too, in the same place: the views read both.
CREATE TABLE IF NOT EXISTS rescored
ENGINE = MergeTree
PARTITION BY revision
ORDER BY (revision, log_topic, partition, offset, ordinal)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
EMPTY AS SELECT *, toUInt32(0) AS revision FROM analyses;

ALTER TABLE rescored ADD PROJECTION IF NOT EXISTS by_instrument (SELECT * ORDER BY (instrument, published_at));

-- The records `serving` of the topic `control`: who judges from when, and which revision each range of the log shows since. A record may be
-- written more than once, under the same offset.
CREATE TABLE IF NOT EXISTS serving
(
    control_offset Int64,
    served_from DateTime64(3, 'UTC'),
    action LowCardinality(String),
    expert String,
    replaces String,
    experts Array(String),
    labels UInt32,
    forced Bool,
    person String,
    note String,
    revision UInt32,
    window_from DateTime64(3, 'UTC'),
    minutes_from DateTime('UTC'),
    minutes_to DateTime('UTC'),
    coverage Nested(
        log_topic String,
        partition UInt32,
        from_offset Int64,
        to_offset Int64,
        revision UInt32
    )
)
ENGINE = ReplacingMergeTree
ORDER BY control_offset
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- One row: the ranges (log_topic, partition, from_offset, to_offset, revision) that show a re-scoring now, and the minutes they touch.
CREATE VIEW IF NOT EXISTS coverage_v AS
SELECT
    argMax(
        arrayZip(`coverage.log_topic`, `coverage.partition`, `coverage.from_offset`, `coverage.to_offset`, `coverage.revision`),
        control_offset
    ) AS ranges,
    argMax(minutes_from, control_offset) AS minutes_from,
    argMax(minutes_to, control_offset) AS minutes_to
FROM serving;

-- Every row in the revision that is in force. Without a re-scoring the conditions are constants, and the projections of `analyses` answer.
CREATE VIEW IF NOT EXISTS served_v AS
SELECT *, toUInt32(0) AS revision
FROM analyses
WHERE empty((SELECT ranges FROM coverage_v))
    OR NOT arrayExists(
        range -> range.1 = log_topic AND range.2 = partition AND range.3 <= offset AND offset < range.4,
        (SELECT ranges FROM coverage_v)
    )
UNION ALL
SELECT *
FROM rescored
WHERE notEmpty((SELECT ranges FROM coverage_v))
    AND arrayExists(
        range -> range.1 = log_topic AND range.2 = partition AND range.3 <= offset AND offset < range.4 AND range.5 = revision,
        (SELECT ranges FROM coverage_v)
    );

-- One row: when which ranges were in force, as (from, until, ranges), oldest first.
CREATE VIEW IF NOT EXISTS reigns_v AS
SELECT
    arrayZip(
        arrayPushFront(groupArray(served_from), toDateTime64(0, 3, 'UTC')),
        arrayPushBack(groupArray(served_from), toDateTime64('2299-12-31 00:00:00', 3, 'UTC')),
        arrayPushFront(groupArray(ranges), [])
    ) AS reigns
FROM
(
    SELECT
        control_offset,
        any(served_from) AS served_from,
        any(arrayZip(`coverage.log_topic`, `coverage.partition`, `coverage.from_offset`, `coverage.to_offset`, `coverage.revision`)) AS ranges
    FROM serving
    GROUP BY control_offset
    ORDER BY control_offset
);

-- Every row of every revision, once for each time in which it was what the other views showed.
CREATE VIEW IF NOT EXISTS revisions_v AS
SELECT
    * EXCEPT reign,
    greatest(reign.1, scored_at) AS served_from,
    reign.2 AS served_until
FROM
(
    SELECT *, toUInt32(0) AS revision, reign
    FROM analyses
    ARRAY JOIN arrayFilter(
        reign -> reign.2 > scored_at AND NOT arrayExists(
            range -> range.1 = log_topic AND range.2 = partition AND range.3 <= offset AND offset < range.4,
            reign.3
        ),
        (SELECT reigns FROM reigns_v)
    ) AS reign
    UNION ALL
    SELECT *, reign
    FROM rescored
    LEFT ARRAY JOIN arrayFilter(
        reign -> arrayExists(
            range -> range.1 = log_topic AND range.2 = partition AND range.3 <= offset AND offset < range.4 AND range.5 = revision,
            reign.3
        ),
        (SELECT reigns FROM reigns_v)
    ) AS reign
);

-- The newest version of each post.
CREATE OR REPLACE VIEW posts_v AS
SELECT
    post_id,
    version,
    CAST(status = 'withdrawn' AS Bool) AS withdrawn,
    outcome,
    reason,
    source,
    kind,
    status,
    supersedes,
    title,
    text,
    url,
    author,
    language,
    language_confidence,
    history,
    topic,
    topic_probabilities,
    negative,
    neutral,
    positive,
    score,
    reference_score,
    confidence,
    strategy,
    degraded,
    weights_version,
    revision,
    published_at,
    original_published_at,
    appended_at,
    scored_at,
    log_topic,
    partition,
    offset
FROM served_v
WHERE ordinal = 0 AND outcome IN ('scored', 'unsupported')
ORDER BY appended_at DESC, version DESC, offset DESC
LIMIT 1 BY post_id;

-- Every scored mention of every version.
CREATE OR REPLACE VIEW mentions_v AS
SELECT
    instrument,
    ticker,
    relevance,
    sentiment_scope,
    post_id,
    version,
    source,
    kind,
    status,
    title,
    text,
    url,
    author,
    language,
    language_confidence,
    history,
    topic,
    topic_probabilities,
    negative,
    neutral,
    positive,
    score,
    reference_score,
    confidence,
    strategy,
    degraded,
    weights_version,
    revision,
    published_at,
    original_published_at,
    appended_at,
    scored_at,
    log_topic,
    partition,
    offset,
    ordinal
FROM served_v
WHERE ordinal > 0 AND outcome = 'scored';

-- Written with the very expressions of the projection per_minute, so that it answers wherever no re-scoring touches the minute.
CREATE OR REPLACE VIEW sentiment_per_minute_v AS
SELECT
    instrument,
    toStartOfMinute(published_at) AS minute,
    kind,
    history,
    count() AS mentions,
    countIf(negative > greatest(neutral, positive)) AS negative_mentions,
    countIf(positive > greatest(neutral, negative)) AS positive_mentions,
    sum(score) / count() AS mean_score,
    sum(negative) / count() AS mean_negative,
    sum(neutral) / count() AS mean_neutral,
    sum(positive) / count() AS mean_positive
FROM analyses
WHERE outcome = 'scored' AND NOT (ordinal = 0)
    AND (
        empty((SELECT ranges FROM coverage_v))
        OR toStartOfMinute(published_at) < (SELECT minutes_from FROM coverage_v)
        OR toStartOfMinute(published_at) > (SELECT minutes_to FROM coverage_v)
    )
GROUP BY instrument, minute, kind, history
UNION ALL
SELECT
    instrument,
    toStartOfMinute(published_at) AS minute,
    kind,
    history,
    count() AS mentions,
    countIf(negative > greatest(neutral, positive)) AS negative_mentions,
    countIf(positive > greatest(neutral, negative)) AS positive_mentions,
    sum(score) / count() AS mean_score,
    sum(negative) / count() AS mean_negative,
    sum(neutral) / count() AS mean_neutral,
    sum(positive) / count() AS mean_positive
FROM served_v
WHERE outcome = 'scored' AND NOT (ordinal = 0)
    AND notEmpty((SELECT ranges FROM coverage_v))
    AND toStartOfMinute(published_at) >= (SELECT minutes_from FROM coverage_v)
    AND toStartOfMinute(published_at) <= (SELECT minutes_to FROM coverage_v)
GROUP BY instrument, minute, kind, history;

-- Agreement of shadows: one row for each post and task that a shadow judged, with what was shown and with each expert that ran beside it.
CREATE VIEW IF NOT EXISTS shadow_posts_v AS
SELECT
    expert,
    expert_version,
    task,
    indexOf(probabilities, arrayMax(probabilities)) = indexOf(shown, arrayMax(shown)) AS agrees,
    peers.1 AS peer,
    arrayMap(peer -> indexOf(peer, arrayMax(peer)) = indexOf(probabilities, arrayMax(probabilities)), peers.2) AS peer_agrees,
    source,
    kind,
    appended_at,
    log_topic,
    partition,
    offset
FROM
(
    SELECT
        expert,
        expert_version,
        task,
        probabilities,
        if(task = 'sentiment', [negative, neutral, positive], topic_probabilities) AS shown,
        arrayFilter(
            peer -> peer.3 = task AND peer.4 AND NOT peer.5,
            arrayZip(`experts.name`, `experts.probabilities`, `experts.task`, `experts.ran`, `experts.shadow`)
        ) AS all_peers,
        (arrayMap(peer -> peer.1, all_peers), arrayMap(peer -> peer.2, all_peers)) AS peers,
        source, kind, appended_at, log_topic, partition, offset
    FROM analyses
    ARRAY JOIN
        `experts.name` AS expert,
        `experts.version` AS expert_version,
        `experts.task` AS task,
        `experts.probabilities` AS probabilities,
        `experts.ran` AS ran,
        `experts.shadow` AS shadow
    WHERE outcome = 'scored' AND ordinal = 0 AND has(`experts.shadow`, true) AND shadow AND ran
);

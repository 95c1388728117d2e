-- The labels, one row an offset of `feedback`, with the names of what the system and the experts answered.
CREATE VIEW IF NOT EXISTS labels_v AS
WITH if(task = 'sentiment',
    ['negative', 'neutral', 'positive'],
    ['Analyst Update', 'Company | Product News', 'Currencies', 'Dividend', 'Earnings', 'Energy | Oil', 'Fed | Central Banks', 'Financials',
     'General News | Opinion', 'Gold | Metals | Materials', 'IPO', 'Legal | Regulation', 'M&A | Investments', 'Macro', 'Markets', 'Personnel Change',
     'Politics', 'Stock Commentary', 'Stock Movement', 'Treasuries | Corporate Debt']) AS names
SELECT
    offset,
    at,
    post_id,
    version,
    task,
    label,
    labeller,
    origin,
    selection_probability,
    source,
    kind,
    language,
    strategy,
    if(empty(fused), '', names[indexOf(fused, arrayMax(fused))]) AS answer,
    fused,
    experts.name,
    experts.version,
    arrayMap(p -> names[indexOf(p, arrayMax(p))], experts.probabilities) AS `experts.answer`,
    experts.probabilities,
    experts.ran,
    experts.shadow,
    log_topic,
    partition,
    post_offset
FROM labels FINAL;

-- Each judge (`fused`, and every expert) against the label of each post that was labelled from the queue: the label that most labellers gave, the
-- newest one where they are even. What the judges said is taken from the newest of the post's labels.
CREATE VIEW IF NOT EXISTS label_judges_v AS
WITH votes AS (
    SELECT log_topic, partition, post_offset, task, labeller, argMax(label, offset) AS vote, max(offset) AS given
    FROM labels
    WHERE origin != 'chosen' AND selection_probability > 0
    GROUP BY log_topic, partition, post_offset, task, labeller
),
truths AS (
    SELECT log_topic, partition, post_offset, task, argMax(vote, (voters, latest)) AS truth, sum(voters) AS labellers, max(latest) AS newest
    FROM (
        SELECT log_topic, partition, post_offset, task, vote, count() AS voters, max(given) AS latest
        FROM votes
        GROUP BY log_topic, partition, post_offset, task, vote
    )
    GROUP BY log_topic, partition, post_offset, task
)
SELECT
    l.post_id AS post_id,
    l.version AS version,
    l.task AS task,
    l.kind AS kind,
    l.source AS source,
    l.origin AS origin,
    assumeNotNull(l.selection_probability) AS selection_probability,
    t.truth AS label,
    t.labellers AS labellers,
    said.1 AS judge,
    said.2 AS judge_version,
    said.3 AS answer,
    CAST(said.3 = t.truth AS Bool) AS is_right,
    CAST(said.4 AS Bool) AS shadow,
    l.at AS at,
    l.log_topic AS log_topic,
    l.partition AS partition,
    l.post_offset AS post_offset
FROM labels_v AS l
INNER JOIN truths AS t ON l.offset = t.newest
ARRAY JOIN arrayConcat(
    if(l.answer = '', [], [('fused', '', l.answer, false)]),
    arrayMap((name, version, answer, shadow) -> (name, version, answer, shadow), l.`experts.name`, l.`experts.version`, l.`experts.answer`, l.`experts.shadow`)
) AS said;

-- How often each judge is right, by sample. `uniform`: the labels of the uniform draw, a sample of the stream. `weighted`: all labels from the queue by
-- their inverse probability, clipped at 200 (Hajek's ratio), worth as many plain ones as effective_posts says (Kish). Wilson's 95% interval at that
-- number (Wilson 1927; Korn and Graubard 1998). Kind '' is all of them.
CREATE VIEW IF NOT EXISTS label_accuracy_v AS
WITH
    1.959963984540054 AS z,
    1 + z * z / effective_posts AS shrinkage,
    z * sqrt(accuracy * (1 - accuracy) / effective_posts + z * z / (4 * effective_posts * effective_posts)) AS half
SELECT
    task,
    kind,
    sample,
    judge,
    judge_version,
    posts,
    effective_posts,
    accuracy,
    greatest(0, (accuracy + z * z / (2 * effective_posts) - half) / shrinkage) AS low,
    least(1, (accuracy + z * z / (2 * effective_posts) + half) / shrinkage) AS high
FROM (
    SELECT
        task,
        kind,
        weighing.1 AS sample,
        judge,
        judge_version,
        count() AS posts,
        pow(sum(weighing.2), 2) / sum(pow(weighing.2, 2)) AS effective_posts,
        sum(weighing.2 * is_right) / sum(weighing.2) AS accuracy
    FROM (
        SELECT
            task,
            arrayJoin([toString(kind), '']) AS kind,
            judge,
            judge_version,
            is_right,
            arrayJoin(arrayConcat(
                if(origin = 'uniform', [('uniform', toFloat64(1))], []),
                [('weighted', least(1 / toFloat64(selection_probability), 200))]
            )) AS weighing
        FROM label_judges_v
    )
    GROUP BY task, kind, sample, judge, judge_version
);

-- Posts of the queue that a labeller did not want to label.
CREATE TABLE IF NOT EXISTS label_skips
(
    log_topic LowCardinality(String),
    partition UInt32,
    post_offset Int64,
    post_id String,
    task LowCardinality(String),
    labeller String,
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (labeller, task, log_topic, partition, post_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

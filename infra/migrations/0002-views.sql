-- The newest version of each post.
CREATE VIEW IF NOT EXISTS posts_v AS
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
    published_at,
    original_published_at,
    appended_at,
    scored_at,
    log_topic,
    partition,
    offset
FROM analyses
WHERE ordinal = 0 AND outcome IN ('scored', 'unsupported')
ORDER BY appended_at DESC, version DESC, offset DESC
LIMIT 1 BY post_id;

-- Every scored mention of every version.
CREATE VIEW IF NOT EXISTS mentions_v AS
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
    published_at,
    original_published_at,
    appended_at,
    scored_at,
    log_topic,
    partition,
    offset,
    ordinal
FROM analyses
WHERE ordinal > 0 AND outcome = 'scored';

-- Written with the very expressions of the projection per_minute, so that it answers.
CREATE VIEW IF NOT EXISTS sentiment_per_minute_v AS
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
GROUP BY instrument, minute, kind, history;

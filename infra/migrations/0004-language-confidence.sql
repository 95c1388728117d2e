-- How sure the language is; 1 for rows from before it was measured.
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS language_confidence Float32 DEFAULT 1 AFTER language;

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

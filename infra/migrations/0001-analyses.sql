-- The one table of truth: every consumed offset of the log leaves its rows here, in one insert that is one part.
-- The deduplication window must not be 0 (its default): the engine would ignore every token.
CREATE TABLE IF NOT EXISTS analyses
(
    log_topic LowCardinality(String),
    partition UInt32,
    offset Int64,
    ordinal UInt16,
    block_start Int64,
    gap_from Int64,
    outcome LowCardinality(String),
    reason String,
    post_id String,
    version UInt32,
    source LowCardinality(String),
    kind LowCardinality(String),
    status LowCardinality(String),
    supersedes String,
    title String,
    text String,
    content_hash String,
    url String,
    author String,
    language LowCardinality(String),
    history Bool,
    signature Array(UInt32),
    instrument LowCardinality(String),
    ticker String,
    relevance Float32,
    sentiment_scope LowCardinality(String),
    topic LowCardinality(String),
    topic_probabilities Array(Float32),
    negative Float32,
    neutral Float32,
    positive Float32,
    score Float32,
    reference_score Float32,
    confidence Float32,
    experts Nested(
        name LowCardinality(String),
        version LowCardinality(String),
        task LowCardinality(String),
        weight Float32,
        probabilities Array(Float32),
        ran Bool,
        run_probability Float32
    ),
    strategy LowCardinality(String),
    degraded Bool,
    weights_version Int64,
    published_at DateTime64(3, 'UTC'),
    original_published_at DateTime64(3, 'UTC'),
    appended_at DateTime64(3, 'UTC'),
    scored_at DateTime64(3, 'UTC'),

    INDEX post_id_bloom post_id TYPE bloom_filter(0.01) GRANULARITY 1,

    -- Exactly what the mark and the fence ask: only the same functions match a projection.
    PROJECTION mark
    (
        SELECT log_topic, partition, count(), max(offset)
        GROUP BY log_topic, partition
    ),
    PROJECTION by_instrument
    (
        SELECT *
        ORDER BY (instrument, published_at)
    ),
    -- `outcome` and `ordinal = 0` are keys, so that a post and its mentions are never added together.
    PROJECTION per_minute
    (
        SELECT
            instrument,
            toStartOfMinute(published_at),
            outcome,
            ordinal = 0,
            history,
            kind,
            count(),
            countIf(negative > greatest(neutral, positive)),
            countIf(positive > greatest(neutral, negative)),
            sum(score),
            sum(negative),
            sum(neutral),
            sum(positive)
        GROUP BY instrument, toStartOfMinute(published_at), outcome, ordinal = 0, history, kind
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (log_topic, partition, offset, ordinal)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

-- The current epoch of a topic is its highest one here, or 0. A new epoch starts a replaced log beside the old rows.
CREATE TABLE IF NOT EXISTS log_epochs
(
    topic String,
    epoch UInt32,
    started_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (topic, epoch)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

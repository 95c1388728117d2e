-- How a result came about, to the digit: what each expert cost, whether it counted, how the experts were fused and the result calibrated.
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS `experts.shadow` Array(Bool) AFTER `experts.run_probability`;
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS `experts.cost_ms` Array(Float32) AFTER `experts.shadow`;
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS fusion LowCardinality(String) DEFAULT if(outcome = 'scored', 'average', '') AFTER strategy;
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS topic_fusion LowCardinality(String) DEFAULT if(topic = '', '', fusion) AFTER fusion;
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS sentiment_temperature Float32 AFTER topic_fusion;
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS topic_temperature Float32 AFTER sentiment_temperature;

-- The label queue is a query over the analyses: each post is drawn, or not, when it is scored.
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS label_draw LowCardinality(String) AFTER weights_version;
ALTER TABLE analyses ADD COLUMN IF NOT EXISTS label_probability Float32 AFTER label_draw;

-- The topic `feedback` as a table. A record may be written more than once, under the same offset.
CREATE TABLE IF NOT EXISTS labels
(
    offset Int64,
    at DateTime64(3, 'UTC'),
    post_id String,
    version UInt32,
    log_topic LowCardinality(String),
    partition UInt32,
    post_offset Int64,
    task LowCardinality(String),
    label LowCardinality(String),
    labeller String,
    origin LowCardinality(String),
    selection_probability Nullable(Float32),
    source LowCardinality(String),
    kind LowCardinality(String),
    language LowCardinality(String),
    strategy LowCardinality(String),
    fused Array(Float32),
    experts Nested(
        name LowCardinality(String),
        version LowCardinality(String),
        probabilities Array(Float32),
        ran Bool,
        shadow Bool
    )
)
ENGINE = ReplacingMergeTree
ORDER BY offset
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The state of the fold over `feedback`, with the last offset that it includes.
CREATE TABLE IF NOT EXISTS weight_snapshots
(
    model_set String,
    offset Int64,
    state String,
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (model_set, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

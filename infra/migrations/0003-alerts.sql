CREATE TABLE IF NOT EXISTS bucket_closes
(
    log_topic LowCardinality(String),
    bucket_end DateTime64(3, 'UTC'),
    cursor String,
    control Int64,
    rows UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (log_topic, bucket_end)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS alert_snapshots
(
    log_topic LowCardinality(String),
    bucket_end DateTime64(3, 'UTC'),
    cursor String,
    control Int64,
    state String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(bucket_end)
ORDER BY log_topic
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS alert_events
(
    id String,
    alert_id String,
    rule LowCardinality(String),
    instrument LowCardinality(String),
    state LowCardinality(String),
    at DateTime64(3, 'UTC'),
    started_at DateTime64(3, 'UTC'),
    event String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS notifications
(
    id String,
    event_id String,
    channel LowCardinality(String),
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS notification_log
(
    id String,
    status LowCardinality(String),
    attempts UInt32,
    error String,
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (id, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

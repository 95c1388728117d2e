-- The topic `posts.dead` folded: one row a letter and state, the newest state counts. A new epoch of `posts` begins with a fold of its own, as
-- the topic may be another one then.
CREATE TABLE IF NOT EXISTS dead_letters
(
    epoch LowCardinality(String),
    origin String,
    head Int64,
    letter Int64,
    state LowCardinality(String),
    class LowCardinality(String),
    reason String,
    attempts UInt8,
    source String,
    post_id String,
    expert LowCardinality(String),
    payload_bytes UInt32,
    refused_at DateTime64(3, 'UTC'),
    buried_at DateTime64(3, 'UTC'),
    changed_at DateTime64(3, 'UTC'),
    person String,
    note String,
    redriven_to String,
    erased Bool
)
ENGINE = ReplacingMergeTree(head)
ORDER BY (epoch, origin)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The letters of the current epoch as they stand.
CREATE VIEW IF NOT EXISTS dead_letters_v AS
SELECT
    origin,
    state,
    class,
    reason,
    attempts,
    source,
    post_id,
    expert,
    payload_bytes,
    refused_at,
    buried_at,
    changed_at,
    person,
    note,
    redriven_to,
    erased,
    letter AS letter_offset
FROM dead_letters FINAL
WHERE epoch = concat('posts@', toString((SELECT max(epoch) FROM log_epochs WHERE topic = 'posts')));

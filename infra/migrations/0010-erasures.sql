-- Who had which texts forgotten, and when. Nothing of what was erased is here: an author is a hash, with a salt of its own.
CREATE TABLE IF NOT EXISTS erasures
(
    id String,
    step UInt8,
    begun_at DateTime64(3, 'UTC'),
    done_at Nullable(DateTime64(3, 'UTC')),
    post_id String,
    author_hash String,
    salt String,
    source String,
    person String,
    note String,
    rows UInt64,
    rescored_rows UInt64,
    alerts UInt64,
    records UInt64,
    letters UInt64,
    kept_records UInt64
)
ENGINE = ReplacingMergeTree(step)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

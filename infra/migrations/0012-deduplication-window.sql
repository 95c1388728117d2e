-- The window is shared by all partitions of a log: it must remember the tokens of more blocks than all writers make while one insert may
-- run (120 s), or one that stands still so long is stored beside the block that took its place.
ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = 10000;
ALTER TABLE rescored MODIFY SETTING non_replicated_deduplication_window = 10000;

-- Changing keys, and starting without reading every one of them.

-- The root keys that this file was and is under, the newest last. The check value tells keys apart and nothing else.
CREATE TABLE root_epochs (
  id INTEGER PRIMARY KEY,
  since INTEGER NOT NULL,
  check_value BLOB NOT NULL
);

-- "journal": number of the last record of the register whose tombstones were applied. "backup": when the newest backup
-- was made, and its name.
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  text TEXT NOT NULL DEFAULT ''
);

-- How many keys hang on an epoch, and how many contents a segment still holds; kept with every change of object_keys.
ALTER TABLE epochs ADD COLUMN objects INTEGER NOT NULL DEFAULT 0;
UPDATE epochs SET objects = (SELECT COUNT(*) FROM object_keys WHERE epoch_id = epochs.id);
CREATE TABLE segment_counts (
  segment INTEGER PRIMARY KEY,
  objects INTEGER NOT NULL
);
INSERT INTO segment_counts SELECT segment, COUNT(*) FROM object_keys GROUP BY segment;
CREATE INDEX object_keys_by_epoch ON object_keys (epoch_id);
CREATE INDEX large_objects ON object_keys (segment) WHERE length > 4194304;

-- Contents whose keys are destroyed and that are still to be wiped off the disk.
CREATE TABLE freed_places (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
);

-- The search index: derived from the vault, left out of backups, made anew when it is gone.
-- Written by postern-listd alone. Tokens are keyed hashes of words; blocks and tokens are encrypted besides, so that
-- the file tells neither words nor how often one occurs.

-- salt: of this file's keys. check: tells whether the root key is still the one that the file was made with.
CREATE TABLE facts (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
);

-- chunk 0: not in a chunk yet (see fresh), or unreadable. since: when it became searchable.
CREATE TABLE objects (
  id       BIGINT  PRIMARY KEY,
  since    BIGINT  NOT NULL,
  readable INTEGER NOT NULL CHECK (readable IN (0, 1)),
  chunk    INTEGER NOT NULL
) WITHOUT ROWID;

-- The tokens of the newest objects, until there are enough for a chunk.
CREATE TABLE fresh (
  object_id BIGINT PRIMARY KEY,
  tokens    BLOB   NOT NULL
) WITHOUT ROWID;

-- Some thousand objects that are searched together. members: their ids, eight bytes each, ascending.
CREATE TABLE chunks (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  count   INTEGER NOT NULL,
  members BLOB    NOT NULL
);

-- Tokens of a chunk in order, each with the objects that have it, some hundred a block; first: the first of them.
CREATE TABLE blocks (
  id    INTEGER PRIMARY KEY,
  chunk INTEGER NOT NULL,
  first BIGINT  NOT NULL,
  data  BLOB    NOT NULL
);
CREATE UNIQUE INDEX blocks_in_order ON blocks (chunk, first);

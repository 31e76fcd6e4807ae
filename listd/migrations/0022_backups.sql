-- What postern backup did, for people who ask whether there is one that can be restored.

-- Written by postern-listd: what `postern backup` did. made: the copy is in its repositories. proven: a copy was put back
-- elsewhere and opened. content, keys: the snapshots in the two repositories. bytes: that were new.
CREATE TABLE backups (
  id         INTEGER PRIMARY KEY,
  outcome    TEXT   NOT NULL CHECK (outcome IN ('made', 'failed', 'proven', 'refuted')),
  at         BIGINT NOT NULL,
  repository TEXT   NOT NULL DEFAULT '',
  content    TEXT   NOT NULL DEFAULT '',
  keys       TEXT   NOT NULL DEFAULT '',
  objects    BIGINT NOT NULL DEFAULT 0,
  bytes      BIGINT NOT NULL DEFAULT 0,
  message    TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX backups_by_outcome ON backups (outcome, at);

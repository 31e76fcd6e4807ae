-- Saved searches and exports. What people searched for is sealed under a key of the site: it may tell what a matter is
-- about.

-- Written by postern-listd: searches kept with a matter.
CREATE TABLE saved_searches (
  id           INTEGER PRIMARY KEY,
  matter_id    INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  sealed_query BLOB    NOT NULL,
  saved_at     BIGINT  NOT NULL,
  saved_by     TEXT    NOT NULL,
  UNIQUE (matter_id, name)
);

-- Written by postern-listd: exports and their chain of custody. The archive is DATA/exports/ID.zip while state is 'done'.
-- sealed_passphrase: only while the job is not finished, so that it can go on after a crash; then empty, overwritten.
CREATE TABLE exports (
  id                INTEGER PRIMARY KEY,
  matter_id         INTEGER NOT NULL,
  job_id            INTEGER NOT NULL DEFAULT 0,
  format            TEXT    NOT NULL CHECK (format IN ('mbox', 'eml', 'load-file')),
  redact_bcc        INTEGER NOT NULL CHECK (redact_bcc IN (0, 1)),
  state             TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'failed', 'removed', 'expired')),
  trouble           TEXT    NOT NULL DEFAULT '',
  sealed_query      BLOB    NOT NULL,
  sealed_passphrase BLOB    NOT NULL,
  created_at        BIGINT  NOT NULL,
  created_by        TEXT    NOT NULL,
  finished_at       BIGINT  NOT NULL DEFAULT 0,
  expires_at        BIGINT  NOT NULL DEFAULT 0,
  starts            INTEGER NOT NULL DEFAULT 0,
  objects           INTEGER NOT NULL DEFAULT 0,
  missing           INTEGER NOT NULL DEFAULT 0,
  bytes             BIGINT  NOT NULL DEFAULT 0,
  sha256            TEXT    NOT NULL DEFAULT '',
  manifest_sha256   TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX exports_by_matter ON exports (matter_id, id);

-- Written by postern-listd: what is in an export, fixed when it was asked for.
CREATE TABLE export_objects (
  export_id INTEGER NOT NULL REFERENCES exports (id),
  number    INTEGER NOT NULL,
  object_id BIGINT  NOT NULL,
  PRIMARY KEY (export_id, number)
) WITHOUT ROWID;

-- Written by postern-listd: who took an export away, and when.
CREATE TABLE export_downloads (
  export_id INTEGER NOT NULL REFERENCES exports (id),
  at        BIGINT  NOT NULL,
  person    TEXT    NOT NULL
);
CREATE INDEX export_downloads_by_export ON export_downloads (export_id, at);

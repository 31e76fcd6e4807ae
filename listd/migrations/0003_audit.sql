-- The audit log takes the place of the record of orders. docs/audit.md has the fields and the structure.
DROP TABLE acts;

-- Written by postern-listd: where the log stands. `peaks` are the hashes of the tree's largest whole subtrees; all of it
-- can be computed anew from the entries, and verification does so.
CREATE TABLE audit_state (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  log_id         TEXT    NOT NULL,
  size           BIGINT  NOT NULL,
  last_hash      BLOB    NOT NULL,
  last_at        BIGINT  NOT NULL,
  peaks          BLOB    NOT NULL,
  policy_version TEXT    NOT NULL
);

-- Written by postern-listd: the entries. `entry` is what is hashed, `leaf` its hash; the other columns repeat fields of
-- the entry for searching, and verification compares them.
CREATE TABLE audit_entries (
  seq         INTEGER PRIMARY KEY,
  at          BIGINT  NOT NULL,
  actor       TEXT    NOT NULL,
  action      TEXT    NOT NULL,
  object_type TEXT    NOT NULL,
  object_id   TEXT    NOT NULL,
  matter_id   BIGINT  NOT NULL,
  outcome     TEXT    NOT NULL,
  entry       BLOB    NOT NULL,
  leaf        BLOB    NOT NULL
);
CREATE INDEX audit_by_time ON audit_entries (at);
CREATE INDEX audit_by_actor ON audit_entries (actor);
CREATE INDEX audit_by_action ON audit_entries (action);
CREATE INDEX audit_by_object ON audit_entries (object_type, object_id) WHERE object_id <> '';
CREATE INDEX audit_by_matter ON audit_entries (matter_id) WHERE matter_id <> 0;
CREATE INDEX audit_by_outcome ON audit_entries (outcome) WHERE outcome <> 'ok';

-- Written by postern-listd: hashes of whole subtrees of 256 leaves and more, so that a proof reads few rows.
CREATE TABLE audit_nodes (
  level INTEGER NOT NULL,
  idx   BIGINT  NOT NULL,
  hash  BLOB    NOT NULL,
  PRIMARY KEY (level, idx)
);

-- Written by postern-listd: signed checkpoints.
CREATE TABLE audit_checkpoints (
  size BIGINT PRIMARY KEY,
  at   BIGINT NOT NULL,
  root BLOB   NOT NULL,
  note TEXT   NOT NULL
);

-- Written by postern-listd: where checkpoints were carried to.
CREATE TABLE audit_anchors (
  id      INTEGER PRIMARY KEY,
  kind    TEXT    NOT NULL CHECK (kind IN ('file', 'mail', 'syslog', 'timestamp')),
  size    BIGINT  NOT NULL,
  at      BIGINT  NOT NULL,
  receipt TEXT    NOT NULL
);
CREATE INDEX audit_anchors_by_kind ON audit_anchors (kind, id);

-- Written by postern-listd: the key of each person whose name stands in the log as a pseudonym. A row that is deleted
-- makes the person's history anonymous; the entries stay as they are.
CREATE TABLE audit_persons (
  name      TEXT PRIMARY KEY,
  key       BLOB NOT NULL,
  pseudonym TEXT NOT NULL UNIQUE
);

CREATE TRIGGER audit_entries_never_change BEFORE UPDATE ON audit_entries BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER audit_entries_never_go BEFORE DELETE ON audit_entries BEGIN
  SELECT RAISE(ABORT, 'the audit log is never deleted');
END;
CREATE TRIGGER audit_checkpoints_never_change BEFORE UPDATE ON audit_checkpoints BEGIN
  SELECT RAISE(ABORT, 'a checkpoint of the audit log is never changed');
END;
CREATE TRIGGER audit_checkpoints_never_go BEFORE DELETE ON audit_checkpoints BEGIN
  SELECT RAISE(ABORT, 'a checkpoint of the audit log is never deleted');
END;
CREATE TRIGGER audit_anchors_never_change BEFORE UPDATE ON audit_anchors BEGIN
  SELECT RAISE(ABORT, 'an anchor of the audit log is never changed');
END;
CREATE TRIGGER audit_anchors_never_go BEFORE DELETE ON audit_anchors BEGIN
  SELECT RAISE(ABORT, 'an anchor of the audit log is never deleted');
END;

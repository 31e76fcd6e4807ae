-- The policies of the site: see docs/decisions/0045.

-- Written by postern-listd: each policy set that was stored. files: JSON, {path: text}. digest: the gateway's, by which it
-- tells sets apart. One at most is in force; former ones were. note: why it was stored; reason: why it came into force.
CREATE TABLE policy_revisions (
  id          INTEGER PRIMARY KEY,
  digest      TEXT    NOT NULL,
  sha256      TEXT    NOT NULL,
  files       TEXT    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('candidate', 'in-force', 'former')),
  made_at     BIGINT  NOT NULL,
  made_by     TEXT    NOT NULL,
  note        TEXT    NOT NULL,
  in_force_at BIGINT  NOT NULL DEFAULT 0,
  in_force_by TEXT    NOT NULL DEFAULT '',
  reason      TEXT    NOT NULL DEFAULT '',
  back_to     INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX policy_in_force ON policy_revisions (state) WHERE state = 'in-force';

-- Written by postern-listd: the sets that people of the site keep for policies (`in_set`), in small letters.
CREATE TABLE policy_values (
  set_name TEXT   NOT NULL,
  value    TEXT   NOT NULL,
  added_at BIGINT NOT NULL,
  added_by TEXT   NOT NULL,
  PRIMARY KEY (set_name, value)
) WITHOUT ROWID;

-- Written by postern-listd: the set that runs beside the one in force, so that a gateway that starts anew goes on with it.
CREATE TABLE policy_shadow (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  revision   INTEGER NOT NULL,
  started_at BIGINT  NOT NULL,
  started_by TEXT    NOT NULL,
  until_at   BIGINT  NOT NULL
);

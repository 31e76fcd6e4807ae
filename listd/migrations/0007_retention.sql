-- Retention: rules with their versions, events, what-ifs, runs, dispositions and certificates.

-- Written by postern-listd: every version of every rule (JSON as in docs/orders.md); rows are only ever added. In force at a time is
-- the highest version of a rule whose effective_from has come. removed: from then on there is no such rule.
CREATE TABLE rules (
  id             INTEGER NOT NULL,
  version        INTEGER NOT NULL,
  rule           TEXT    NOT NULL,
  removed        INTEGER NOT NULL DEFAULT 0,
  effective_from BIGINT  NOT NULL,
  made_at        BIGINT  NOT NULL,
  made_by        TEXT    NOT NULL,
  reason         TEXT    NOT NULL,
  request        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (id, version)
);
CREATE TRIGGER rules_never_change BEFORE UPDATE ON rules BEGIN
  SELECT RAISE(ABORT, 'versions of rules are never changed');
END;
CREATE TRIGGER rules_never_go BEFORE DELETE ON rules BEGIN
  SELECT RAISE(ABORT, 'versions of rules are never deleted');
END;

-- Written by postern-listd: events that start periods, of a list or of one object (the other is 0). Recorded once.
CREATE TABLE retention_events (
  id          INTEGER PRIMARY KEY,
  event       TEXT    NOT NULL,
  list_id     INTEGER NOT NULL,
  object_id   BIGINT  NOT NULL,
  at          BIGINT  NOT NULL,
  recorded_at BIGINT  NOT NULL,
  recorded_by TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  UNIQUE (event, list_id, object_id)
);

-- Written by postern-listd: what-ifs and their results, as they were shown.
CREATE TABLE what_ifs (
  id      INTEGER PRIMARY KEY,
  at      BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  made_by TEXT   NOT NULL,
  draft   TEXT   NOT NULL,
  result  TEXT   NOT NULL
);

-- Written by postern-listd: each run of the gate, scheduled or for a person. kept: JSON, how many for which reason.
-- approved: how many objects a second person allowed beyond the blast limit.
CREATE TABLE retention_runs (
  id          INTEGER PRIMARY KEY,
  caller      TEXT    NOT NULL,
  at          BIGINT  NOT NULL,
  started_at  BIGINT  NOT NULL,
  finished_at BIGINT  NOT NULL DEFAULT 0,
  state       TEXT    NOT NULL CHECK (state IN ('running', 'done', 'stopped', 'refused')),
  started_by  TEXT    NOT NULL,
  approved    BIGINT  NOT NULL DEFAULT 0,
  candidates  BIGINT  NOT NULL DEFAULT 0,
  removed     BIGINT  NOT NULL DEFAULT 0,
  destroyed   BIGINT  NOT NULL DEFAULT 0,
  kept        TEXT    NOT NULL DEFAULT '{}',
  words       TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX retention_runs_by_end ON retention_runs (finished_at);
CREATE INDEX retention_runs_open ON retention_runs (id) WHERE state = 'running';

-- Written by postern-listd: one row for each object that is being destroyed (begun) or is (done): the line of the
-- certificate. The key of the table is what makes it exactly one.
CREATE TABLE dispositions (
  object_id     BIGINT  PRIMARY KEY,
  run_id        INTEGER NOT NULL,
  list_id       INTEGER NOT NULL,
  state         TEXT    NOT NULL CHECK (state IN ('begun', 'done')),
  action        TEXT    NOT NULL,
  lists         TEXT    NOT NULL,
  received_at   BIGINT  NOT NULL,
  size          BIGINT  NOT NULL,
  digest        BLOB    NOT NULL,
  rule_id       INTEGER NOT NULL,
  rule_version  INTEGER NOT NULL,
  retain_until  BIGINT  NOT NULL,
  delete_at     BIGINT  NOT NULL,
  destroyed_at  BIGINT  NOT NULL DEFAULT 0,
  unrecoverable BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX dispositions_by_run ON dispositions (run_id, object_id);
CREATE INDEX dispositions_begun ON dispositions (object_id) WHERE state = 'begun';

-- Written by postern-listd: deleted lists whose roster, keys and settings are gone: each a line of its run's certificate.
CREATE TABLE list_dispositions (
  list_id       INTEGER PRIMARY KEY,
  run_id        INTEGER NOT NULL,
  address       TEXT    NOT NULL,
  members       INTEGER NOT NULL,
  deleted_at    BIGINT  NOT NULL,
  destroyed_at  BIGINT  NOT NULL,
  unrecoverable BIGINT  NOT NULL
);
CREATE INDEX list_dispositions_by_run ON list_dispositions (run_id, list_id);

-- Written by postern-listd: the signed certificate of a run. body: the text that is signed; it holds the digest of the
-- lines, which stand in dispositions.
CREATE TABLE certificates (
  id         INTEGER PRIMARY KEY,
  run_id     INTEGER NOT NULL UNIQUE,
  made_at    BIGINT  NOT NULL,
  lines      BIGINT  NOT NULL,
  body       TEXT    NOT NULL,
  signature  BLOB    NOT NULL,
  public_key BLOB    NOT NULL
);

-- Written by postern-listd: references whose rule asks a person before they go. until: kept at least to then.
CREATE TABLE reviews (
  object_id  BIGINT  NOT NULL,
  list_id    INTEGER NOT NULL,
  rule_id    INTEGER NOT NULL,
  due_at     BIGINT  NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('waiting', 'destroy', 'kept')),
  until      BIGINT  NOT NULL DEFAULT 0,
  decided_at BIGINT  NOT NULL DEFAULT 0,
  decided_by TEXT    NOT NULL DEFAULT '',
  reason     TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (object_id, list_id)
) WITHOUT ROWID;
CREATE INDEX reviews_waiting ON reviews (due_at, object_id) WHERE state = 'waiting';

-- Written by postern-listd: the clock's heartbeat. distrusted_at <> 0: nothing is destroyed until two people have said
-- that the clock is right.
CREATE TABLE clock_guard (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  beat_at       BIGINT NOT NULL,
  distrusted_at BIGINT NOT NULL DEFAULT 0,
  reason        TEXT   NOT NULL DEFAULT ''
);

-- Written by postern-listd: what the archive held when it was last counted (JSON), so that pages of rules and forecasts
-- scan nothing. policy: the rules that it was counted with.
CREATE TABLE archive_counts (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  as_of  BIGINT NOT NULL,
  policy TEXT   NOT NULL,
  counts TEXT   NOT NULL
);

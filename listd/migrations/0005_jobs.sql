-- Long work that goes on behind an order.

-- Written by postern-listd: what is to be done, how far it is, and what came of it.
CREATE TABLE jobs (
  id          BIGINT PRIMARY KEY,
  kind        TEXT   NOT NULL,
  args        TEXT   NOT NULL,              -- JSON; no secrets
  state       TEXT   NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  done        BIGINT NOT NULL DEFAULT 0,
  total       BIGINT NOT NULL DEFAULT 0,    -- 0: not known yet
  message     TEXT   NOT NULL DEFAULT '',
  started_by  TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  finished_at BIGINT NOT NULL DEFAULT 0,
  checkpoint  TEXT   NOT NULL DEFAULT '',   -- JSON; how far it is
  result      TEXT   NOT NULL DEFAULT '',   -- JSON
  cancelling  BIGINT NOT NULL DEFAULT 0     -- 1: it is to stop where it is
);
CREATE INDEX jobs_open ON jobs (kind, id) WHERE state IN ('waiting', 'running');

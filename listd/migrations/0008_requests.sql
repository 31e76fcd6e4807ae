-- Requests that need a second person.

-- Written by postern-listd: what waits for a second person, and what became of it. payload, before, after and what_if
-- are JSON. lone: there was no second person; then nobody decides it, its time does (decide_at), after mail to the
-- outside address, whose copy key is announcement. confidential: shown to officers and approvers only.
-- Rows are never deleted.
CREATE TABLE requests (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL,
  payload       TEXT    NOT NULL,
  before        TEXT    NOT NULL,
  after         TEXT    NOT NULL,
  what_if       TEXT    NOT NULL,
  title         TEXT    NOT NULL,
  reason        TEXT    NOT NULL,
  requester     TEXT    NOT NULL,
  created_at    BIGINT  NOT NULL,
  state         TEXT    NOT NULL CHECK (state IN
                  ('waiting', 'approved', 'done', 'refused', 'withdrawn', 'failed')),
  decider       TEXT    NOT NULL DEFAULT '',
  decision      TEXT    NOT NULL DEFAULT '',
  decided_at    BIGINT  NOT NULL DEFAULT 0,
  delay_seconds BIGINT  NOT NULL,
  effective_at  BIGINT  NOT NULL DEFAULT 0,
  lone          INTEGER NOT NULL CHECK (lone IN (0, 1)),
  decide_at     BIGINT  NOT NULL DEFAULT 0,
  announcement  BIGINT  NOT NULL DEFAULT 0,
  confidential  INTEGER NOT NULL CHECK (confidential IN (0, 1)),
  CHECK (state NOT IN ('approved', 'done') OR decider <> requester)
);
CREATE INDEX requests_open ON requests (state, id) WHERE state IN ('waiting', 'approved');

-- Written by postern-listd: what people asked and answered about a request.
CREATE TABLE request_words (
  request_id INTEGER NOT NULL REFERENCES requests (id),
  at         BIGINT  NOT NULL,
  person     TEXT    NOT NULL,
  words      TEXT    NOT NULL
);
CREATE INDEX request_words_by_request ON request_words (request_id);

-- Written by postern-listd: when each person was last reminded of requests that wait.
CREATE TABLE request_reminders (
  person  TEXT   PRIMARY KEY,
  sent_at BIGINT NOT NULL
);

-- Programs of accounts that are told what became of the mail that the account sent.

-- Written by postern-listd. salt: what the signing secret is derived from together with the site's key, so that the file
-- alone does not tell it. failing_since: 0 while calls are answered.
CREATE TABLE webhooks (
  id            INTEGER PRIMARY KEY,
  account       TEXT    NOT NULL,
  url           TEXT    NOT NULL,
  salt          BLOB    NOT NULL,
  added_by      TEXT    NOT NULL,
  added_at      BIGINT  NOT NULL,
  state         TEXT    NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off')),
  failing_since BIGINT  NOT NULL DEFAULT 0,
  rests_until   BIGINT  NOT NULL DEFAULT 0,
  last_at       BIGINT  NOT NULL DEFAULT 0,
  last_answer   TEXT    NOT NULL DEFAULT '',
  UNIQUE (account, url)
);

-- Written by postern-listd: outcomes to tell, each once. done_at: 0 while it waits; then told or given up.
CREATE TABLE webhook_events (
  id         INTEGER PRIMARY KEY,
  webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  post_id    BIGINT  NOT NULL,
  ledger_id  BIGINT  NOT NULL,
  event      TEXT    NOT NULL,
  at         BIGINT  NOT NULL,
  tries      INTEGER NOT NULL DEFAULT 0,
  done_at    BIGINT  NOT NULL DEFAULT 0,
  told       INTEGER NOT NULL DEFAULT 0,
  UNIQUE (webhook_id, ledger_id, event)
);
CREATE INDEX webhook_events_waiting ON webhook_events (webhook_id, id) WHERE done_at = 0;
CREATE INDEX webhook_events_done ON webhook_events (done_at) WHERE done_at > 0;

-- Sessions of the web UI. Written by postern-webadmin only. A token is stored as its SHA-256, so that a copy of this
-- file opens no session.
CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY NOT NULL,
  account TEXT NOT NULL,
  role TEXT NOT NULL,
  client TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account);

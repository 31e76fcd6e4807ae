-- Sessions of people that listd itself knows.

-- Written by postern-listd: who is signed in. The secret that the browser holds is not kept: secret_hash is its SHA-256. ref is
-- another random value, which names the session to people and in the audit log and opens nothing. stepped_up_at: when the person
-- last proved anew who they are, in this session; 0: never.
CREATE TABLE sessions (
  secret_hash   TEXT   PRIMARY KEY,
  ref           TEXT   NOT NULL UNIQUE,
  subject_kind  TEXT   NOT NULL CHECK (subject_kind IN ('account', 'recipient')),
  subject       TEXT   NOT NULL,
  client        TEXT   NOT NULL,
  agent         TEXT   NOT NULL,
  created_at    BIGINT NOT NULL,
  last_seen_at  BIGINT NOT NULL,
  stepped_up_at BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sessions_by_subject ON sessions (subject_kind, subject);

-- Proofs were kept apart while only the web process knew sessions.
DROP TABLE step_ups;

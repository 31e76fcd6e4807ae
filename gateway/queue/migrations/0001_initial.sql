-- DATA/gateway/queue.db, written by the gateway only: the queue's index as of a position in the segment log.
-- No address is in here: bodies are sealed in the log, and event columns hold sealed bytes.

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);

CREATE TABLE accepted (
  id INTEGER PRIMARY KEY,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
);

CREATE TABLE tails (
  instance INTEGER PRIMARY KEY,
  tail INTEGER NOT NULL,           -- as listd numbers it; the newest instance of a number is the one in force
  generation INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
);

CREATE TABLE copies (
  key INTEGER PRIMARY KEY,
  tail_instance INTEGER NOT NULL,  -- 0: none
  kind INTEGER NOT NULL,
  protection INTEGER NOT NULL,
  floor INTEGER NOT NULL,
  destination TEXT NOT NULL,       -- domain
  attempts INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  generation INTEGER NOT NULL,     -- highest accepted id handed out when the copy came
  state INTEGER NOT NULL,          -- 0 waiting, 1 held, 2 finished, 3 dropped; the last two until acknowledged
  last_event BLOB NOT NULL,        -- sealed
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
);

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  copy_key INTEGER NOT NULL,
  kind INTEGER NOT NULL,           -- 0 of a copy, 1 the copy's last, 2 a refusal
  body BLOB NOT NULL               -- sealed
);

-- Keys that must not be taken again although their copies are done, as ranges.
CREATE TABLE remembered_keys (
  first_key INTEGER PRIMARY KEY,
  last_key INTEGER NOT NULL,
  generation INTEGER NOT NULL
);

-- Mail that a person has to look at before it goes on.

-- Written by postern-listd: messages that were held. The content is an object of the vault, as it came, with a reference
-- for each list, so that legal holds, search and destruction see it as they see posts. envelope: the rest of the
-- submission, sealed to the vault; empty once it is of no use any more. accepted_id and queue_id name the message at the
-- gateway. releasing: a person let it go, and its plan may not be written yet. deleted and expired: it is to be destroyed;
-- destroyed: it is, or a rule keeps it as a record; else it is tried again each day.
CREATE TABLE quarantine (
  id          INTEGER PRIMARY KEY,
  accepted_id BIGINT  NOT NULL,
  queue_id    TEXT    NOT NULL,
  object      BIGINT  NOT NULL REFERENCES objects (id),
  envelope    BLOB    NOT NULL,
  mail_from   TEXT    NOT NULL,
  recipients  INTEGER NOT NULL,
  size        BIGINT  NOT NULL,
  cause       TEXT    NOT NULL CHECK (cause IN ('spam', 'policy', 'milter', 'virus')),
  detail      TEXT    NOT NULL,
  held_at     BIGINT  NOT NULL,
  expires_at  BIGINT  NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('held', 'releasing', 'released', 'deleted', 'expired')),
  decided_at  BIGINT  NOT NULL DEFAULT 0,
  decided_by  TEXT    NOT NULL DEFAULT '',
  destroyed   INTEGER NOT NULL DEFAULT 0 CHECK (destroyed IN (0, 1)),
  tried_at    BIGINT  NOT NULL DEFAULT 0,
  UNIQUE (accepted_id, queue_id)
);
CREATE INDEX quarantine_held ON quarantine (expires_at) WHERE state = 'held';
CREATE INDEX quarantine_releasing ON quarantine (id) WHERE state = 'releasing';
CREATE INDEX quarantine_to_destroy ON quarantine (tried_at) WHERE state IN ('deleted', 'expired') AND destroyed = 0;

-- Written by postern-listd: the lists that a held message is for.
CREATE TABLE quarantine_lists (
  quarantine_id INTEGER NOT NULL REFERENCES quarantine (id),
  list_id       INTEGER NOT NULL REFERENCES lists (id),
  PRIMARY KEY (quarantine_id, list_id)
) WITHOUT ROWID;
CREATE INDEX quarantine_lists_by_list ON quarantine_lists (list_id, quarantine_id);

-- Written by postern-listd: authors whose mail to a list the spam filter alone does not hold, when they are proven.
CREATE TABLE trusted_senders (
  list_id  INTEGER NOT NULL REFERENCES lists (id),
  address  TEXT    NOT NULL,
  added_at BIGINT  NOT NULL,
  added_by TEXT    NOT NULL,
  PRIMARY KEY (list_id, address)
) WITHOUT ROWID;

-- Matters, custodians, holds, notices.

-- Written by postern-listd: what is being looked into. Rows are never deleted.
CREATE TABLE matters (
  id          INTEGER PRIMARY KEY,
  name        TEXT    NOT NULL,
  description TEXT    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('open', 'closed')),
  created_at  BIGINT  NOT NULL,
  created_by  TEXT    NOT NULL,
  closed_at   BIGINT  NOT NULL DEFAULT 0
);

-- Written by postern-listd: the officers who work on a matter.
CREATE TABLE matter_team (
  matter_id INTEGER NOT NULL REFERENCES matters (id),
  person    TEXT    NOT NULL,
  PRIMARY KEY (matter_id, person)
) WITHOUT ROWID;

-- Written by postern-listd: what people wrote down. Rows are only ever added.
CREATE TABLE matter_notes (
  id        INTEGER PRIMARY KEY,
  matter_id INTEGER NOT NULL REFERENCES matters (id),
  at        BIGINT  NOT NULL,
  person    TEXT    NOT NULL,
  text      TEXT    NOT NULL
);
CREATE INDEX matter_notes_by_matter ON matter_notes (matter_id, id);

-- Written by postern-listd: what was done in a matter, for people; the proof is the audit log. Rows are only ever added.
-- hold_id: the hold that the line is about, so that a line about a silent one is shown to nobody who may not see it.
CREATE TABLE matter_log (
  id        INTEGER PRIMARY KEY,
  matter_id INTEGER NOT NULL REFERENCES matters (id),
  at        BIGINT  NOT NULL,
  person    TEXT    NOT NULL,
  act       TEXT    NOT NULL,
  words     TEXT    NOT NULL,
  hold_id   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX matter_log_by_matter ON matter_log (matter_id, id);

-- Written by postern-listd: people who were asked to keep their mail.
CREATE TABLE custodians (
  matter_id  INTEGER NOT NULL REFERENCES matters (id),
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  added_at   BIGINT  NOT NULL,
  removed_at BIGINT  NOT NULL DEFAULT 0,
  PRIMARY KEY (matter_id, address)
) WITHOUT ROWID;

-- Written by postern-listd: legal holds. A hold is a predicate: nothing is linked to it, so it is in force for mail of
-- all times when its row is committed. The scope never changes; a release is the only change. Rows are never deleted.
CREATE TABLE holds (
  id             INTEGER PRIMARY KEY,
  matter_id      INTEGER NOT NULL REFERENCES matters (id),
  name           TEXT    NOT NULL,
  scope          TEXT    NOT NULL,
  silent         INTEGER NOT NULL CHECK (silent IN (0, 1)),
  notice         TEXT    NOT NULL,
  placed_at      BIGINT  NOT NULL,
  placed_by      TEXT    NOT NULL,
  released_at    BIGINT  NOT NULL DEFAULT 0,
  released_by    TEXT    NOT NULL DEFAULT '',
  release_reason TEXT    NOT NULL DEFAULT '',
  grace_days     INTEGER NOT NULL CHECK (grace_days >= 0),
  release_journalled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX holds_by_matter ON holds (matter_id, id);
CREATE TRIGGER holds_keep_their_scope BEFORE UPDATE OF matter_id, scope, placed_at ON holds BEGIN
  SELECT RAISE(ABORT, 'the scope of a hold never changes');
END;
CREATE TRIGGER holds_are_released_once BEFORE UPDATE OF released_at, grace_days ON holds WHEN old.released_at <> 0 BEGIN
  SELECT RAISE(ABORT, 'a hold is released once');
END;
CREATE TRIGGER holds_never_go BEFORE DELETE ON holds BEGIN
  SELECT RAISE(ABORT, 'a hold is never deleted');
END;

-- Written by postern-listd: what a custodian was told of a hold, and the answer.
CREATE TABLE hold_notices (
  id              INTEGER PRIMARY KEY,
  hold_id         INTEGER NOT NULL REFERENCES holds (id),
  matter_id       INTEGER NOT NULL REFERENCES matters (id),
  address         TEXT    NOT NULL,
  sent_at         BIGINT  NOT NULL,
  reminded_at     BIGINT  NOT NULL DEFAULT 0,
  reminders       INTEGER NOT NULL DEFAULT 0,
  acknowledged_at BIGINT  NOT NULL DEFAULT 0,
  UNIQUE (hold_id, address)
);
CREATE INDEX hold_notices_open ON hold_notices (sent_at) WHERE acknowledged_at = 0;
CREATE INDEX hold_notices_by_matter ON hold_notices (matter_id, address);

-- Written by postern-listd: mail that the site itself writes. copy_key comes from the counter of copies, so that the
-- gateway takes a mail once. planned: not known to be at the gateway; handed: the gateway has it; the rest as in the
-- ledger. lines is JSON; every text in it has the shape of its kind (listd/mailout/SiteMail.h).
CREATE TABLE site_mail (
  copy_key   BIGINT  PRIMARY KEY,
  kind       TEXT    NOT NULL,
  recipient  TEXT    NOT NULL,
  link       TEXT    NOT NULL,
  lines      TEXT    NOT NULL,
  created_at BIGINT  NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN
               ('planned', 'handed', 'delivered', 'deferred', 'failed', 'expired', 'dropped')),
  attempts   INTEGER NOT NULL DEFAULT 0,
  outcome_at BIGINT  NOT NULL DEFAULT 0,
  outcome    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX site_mail_planned ON site_mail (copy_key) WHERE state = 'planned';

-- Written by postern-listd: who was a member. A removed member's row comes here, whatever the reason, so that nothing
-- tells whether a hold covers it; the retention run clears what no hold covers.
CREATE TABLE former_members (
  id         INTEGER PRIMARY KEY,
  list_id    INTEGER NOT NULL REFERENCES lists (id),
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  role       TEXT    NOT NULL,
  joined_at  BIGINT  NOT NULL,
  removed_at BIGINT  NOT NULL,
  removed_by TEXT    NOT NULL
);
CREATE INDEX former_members_by_list ON former_members (list_id, address);
CREATE INDEX former_members_by_address ON former_members (address);

-- A list that somebody deleted is closed and hidden; it goes when nothing of it is kept any more.
ALTER TABLE lists ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;

-- Written by postern-listd: what each hold matched when it was last counted; for pages, never for deciding.
CREATE TABLE hold_counts (
  hold_id    INTEGER PRIMARY KEY REFERENCES holds (id),
  objects    BIGINT NOT NULL,
  growth     BIGINT NOT NULL,
  counted_at BIGINT NOT NULL
);

-- Subscription: who may join and leave a list and how, what waits for a confirmation or a person, who is shut out, and
-- what members set for themselves.

-- Written by postern-listd: what a list says about joining and leaving; without a row it is as
-- listd/subscribe/SubscriptionSettings.h says. advertised: shown on the public page of lists. one_click: copies carry a
-- link by which mail programs take the recipient off the list (RFC 8058).
CREATE TABLE list_subscription (
  list_id    INTEGER PRIMARY KEY REFERENCES lists (id),
  joining    TEXT    NOT NULL CHECK (joining IN
               ('open', 'confirm', 'moderate', 'confirm-moderate', 'closed', 'invitation')),
  leaving    TEXT    NOT NULL CHECK (leaving IN ('open', 'confirm', 'moderate', 'closed')),
  advertised INTEGER NOT NULL,
  one_click  INTEGER NOT NULL
);

-- Written by postern-listd: what people asked of a list, the number of a token in mail. action: 'address' is a change of
-- address from `address` to `other`, 'member' a link to the own settings. state: 'asked': the mailbox is to confirm it;
-- 'waiting': a person is to decide. `client` is the network it came from; mailed_at 0: no mail was sent for it.
-- confirmed: of a change of address, 1: the old mailbox did, 2: the new one.
CREATE TABLE subscription_requests (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  list_id    INTEGER NOT NULL REFERENCES lists (id),
  action     TEXT    NOT NULL CHECK (action IN ('join', 'leave', 'address', 'invite', 'member')),
  address    TEXT    NOT NULL,
  other      TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('asked', 'waiting', 'done', 'refused', 'expired')),
  origin     TEXT    NOT NULL CHECK (origin IN ('mail', 'web', 'account', 'owner')),
  client     TEXT    NOT NULL,
  made_at    BIGINT  NOT NULL,
  ends_at    BIGINT  NOT NULL,
  mailed_at  BIGINT  NOT NULL,
  confirmed  INTEGER NOT NULL DEFAULT 0,
  decided_at BIGINT  NOT NULL DEFAULT 0,
  decided_by TEXT    NOT NULL DEFAULT '',
  reason     TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX subscription_requests_by_list ON subscription_requests (list_id, state, id);
CREATE INDEX subscription_requests_by_address ON subscription_requests (address, mailed_at);
CREATE INDEX subscription_requests_by_client ON subscription_requests (client, made_at);
CREATE INDEX subscription_requests_by_time ON subscription_requests (made_at, list_id);
CREATE INDEX subscription_requests_by_end ON subscription_requests (ends_at) WHERE state IN ('asked', 'waiting');

-- Written by postern-listd: who cannot join. list_id 0: any list. A pattern is an address, '@' and a domain (with all
-- below it), or an address with '*' in it.
CREATE TABLE bans (
  id      INTEGER PRIMARY KEY,
  list_id INTEGER NOT NULL,
  pattern TEXT    NOT NULL,
  reason  TEXT    NOT NULL,
  made_at BIGINT  NOT NULL,
  made_by TEXT    NOT NULL,
  UNIQUE (list_id, pattern)
);

-- What members set: delivery 'none': they may post and get no copies; paused_*: the same between two moments, 0: not.
-- receives: what follows from that now; only then a plan has a copy for them.
ALTER TABLE members ADD COLUMN delivery TEXT NOT NULL DEFAULT 'each';
ALTER TABLE members ADD COLUMN paused_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN paused_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN receives INTEGER NOT NULL DEFAULT 1;
CREATE INDEX members_paused ON members (paused_until) WHERE paused_until > 0;

-- Written by postern-listd: the entries of an LDAP directory (a row of `directories`) that are members of a list. pattern:
-- of a ban, only addresses that it fits; empty: all. state: '' not yet, 'ok', 'failed' (outcome says why), 'stopped': too
-- many would go.
CREATE TABLE member_sources (
  list_id        INTEGER PRIMARY KEY REFERENCES lists (id),
  directory      TEXT    NOT NULL,
  base           TEXT    NOT NULL,
  filter         TEXT    NOT NULL,
  mail_attribute TEXT    NOT NULL,
  name_attribute TEXT    NOT NULL,
  pattern        TEXT    NOT NULL,
  every_hours    INTEGER NOT NULL,
  made_at        BIGINT  NOT NULL,
  made_by        TEXT    NOT NULL,
  checked_at     BIGINT  NOT NULL DEFAULT 0,
  state          TEXT    NOT NULL DEFAULT '',
  outcome        TEXT    NOT NULL DEFAULT ''
);

-- Written by postern-listd: members whom a file or directory brought that the list follows. Only such are taken off when
-- a directory has them no more.
CREATE TABLE brought_members (
  list_id INTEGER NOT NULL REFERENCES lists (id),
  address TEXT    NOT NULL,
  PRIMARY KEY (list_id, address)
) WITHOUT ROWID;
CREATE INDEX brought_members_by_address ON brought_members (address);

-- Written by postern-listd: who took themselves off a list to which a file or directory had brought them: it does not
-- bring them back.
CREATE TABLE departures (
  list_id INTEGER NOT NULL REFERENCES lists (id),
  address TEXT    NOT NULL,
  left_at BIGINT  NOT NULL,
  PRIMARY KEY (list_id, address)
) WITHOUT ROWID;
CREATE INDEX departures_by_address ON departures (address);

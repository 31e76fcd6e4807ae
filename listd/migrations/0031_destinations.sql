-- How fast mail goes where: connections, messages a minute, pauses between tries.

-- Written by postern-listd. name: a domain, the host of a route, or *. 0 and an empty retry: not set. retry: seconds with
-- commas between. paused: nothing is sent there, since paused_at.
CREATE TABLE destinations (
  name        TEXT    NOT NULL PRIMARY KEY,
  connections INTEGER NOT NULL DEFAULT 0,
  per_minute  INTEGER NOT NULL DEFAULT 0,
  retry       TEXT    NOT NULL DEFAULT '',
  paused      INTEGER NOT NULL DEFAULT 0,
  paused_at   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

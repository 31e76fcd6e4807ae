-- What pages ask of a large archive without reading it.

-- Written by postern-listd: how many objects are kept (stored, or on their way out). Triggers count, in the transaction of
-- each change, so that it cannot differ from what is there.
CREATE TABLE archive_totals (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  stored BIGINT  NOT NULL
);
INSERT INTO archive_totals (id, stored) SELECT 1, count(*) FROM objects WHERE state <> 'destroyed';
CREATE TRIGGER objects_counted_in AFTER INSERT ON objects WHEN new.state <> 'destroyed' BEGIN
  UPDATE archive_totals SET stored = stored + 1;
END;
CREATE TRIGGER objects_counted_out AFTER DELETE ON objects WHEN old.state <> 'destroyed' BEGIN
  UPDATE archive_totals SET stored = stored - 1;
END;
CREATE TRIGGER objects_recounted AFTER UPDATE OF state ON objects
    WHEN (old.state = 'destroyed') <> (new.state = 'destroyed') BEGIN
  UPDATE archive_totals SET stored = stored + CASE new.state WHEN 'destroyed' THEN -1 ELSE 1 END;
END;

-- Written by postern-listd: how many references of each list are there (not removed), counted by triggers likewise.
CREATE TABLE list_totals (
  list_id INTEGER PRIMARY KEY REFERENCES lists (id),
  kept    BIGINT  NOT NULL
);
INSERT INTO list_totals (list_id, kept)
  SELECT list_id, count(*) FROM object_references WHERE removed_at = 0 GROUP BY list_id;
CREATE TRIGGER references_counted_in AFTER INSERT ON object_references WHEN new.removed_at = 0 BEGIN
  INSERT INTO list_totals (list_id, kept) VALUES (new.list_id, 1)
    ON CONFLICT (list_id) DO UPDATE SET kept = kept + 1;
END;
CREATE TRIGGER references_counted_out AFTER DELETE ON object_references WHEN old.removed_at = 0 BEGIN
  UPDATE list_totals SET kept = kept - 1 WHERE list_id = old.list_id;
END;
CREATE TRIGGER references_recounted AFTER UPDATE OF removed_at ON object_references
    WHEN (old.removed_at = 0) <> (new.removed_at = 0) BEGIN
  UPDATE list_totals SET kept = kept + CASE new.removed_at WHEN 0 THEN 1 ELSE -1 END WHERE list_id = new.list_id;
END;

-- All that a look at the whole archive asks of a stored object, in the order of ids: read by itself, from front to back.
-- The table is in the order of coming, so that each of its rows would be a page of its own.
CREATE INDEX objects_facts ON objects (id, received_at, header_date, size, class) WHERE state = 'stored';

-- What the search for a part of a name or an address reads of a list with very many members.
CREATE INDEX members_text ON members (list_id, address, name);

-- Written by postern-listd, a row a day: how full the disk of the data folder was, for the forecast of when it is full.
-- `day`: days since 1970-01-01; `stored`: objects kept, as in archive_totals. The last look of a day stands.
CREATE TABLE disk_days (
  day    INTEGER PRIMARY KEY,
  used   BIGINT NOT NULL,
  free   BIGINT NOT NULL,
  stored BIGINT NOT NULL
);

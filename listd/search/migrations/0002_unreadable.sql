-- How many objects are unreadable is asked at each start, of a table of all objects.
CREATE INDEX objects_unreadable ON objects (id) WHERE readable = 0;

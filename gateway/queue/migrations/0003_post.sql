-- Which copies belong to one message: a hash of its trace id, 0 where it is not known.
ALTER TABLE copies ADD COLUMN post INTEGER NOT NULL DEFAULT 0;

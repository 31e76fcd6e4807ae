-- A host that an administrator sent the copy to, as HOST:PORT; empty: the way of its domain.
ALTER TABLE copies ADD COLUMN via TEXT NOT NULL DEFAULT '';

-- What the pages show of directories, and what proves an account's mail address.

-- Written by postern-listd: what each directory said last, in words, and what went wrong last.
ALTER TABLE directories ADD COLUMN answered_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directories ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE directories ADD COLUMN failed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directories ADD COLUMN failure TEXT NOT NULL DEFAULT '';

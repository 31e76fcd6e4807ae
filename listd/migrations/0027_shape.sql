-- How the posts of a list look to its readers.

-- Written by postern-listd. subject_prefix and footer: UTF-8, empty for none; footer is lines ended with LF. reply_to:
-- where an answer goes; author_shown: 'via' the author's name with the address of the list, 'own' the author where the
-- site signs for the author's domain, else as 'via'; 'nobody' the list alone.
ALTER TABLE lists ADD COLUMN subject_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE lists ADD COLUMN footer TEXT NOT NULL DEFAULT '';
ALTER TABLE lists ADD COLUMN reply_to TEXT NOT NULL DEFAULT 'author'
  CHECK (reply_to IN ('author', 'asked', 'list', 'both'));
ALTER TABLE lists ADD COLUMN author_shown TEXT NOT NULL DEFAULT 'via'
  CHECK (author_shown IN ('via', 'own', 'nobody'));

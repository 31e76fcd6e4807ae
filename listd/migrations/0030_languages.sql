-- In which language the site writes to people.

-- Written by postern-listd. '' is the site's ([site] language), else 'en' 'de' 'fr' 'es'.
ALTER TABLE lists ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE site_mail ADD COLUMN language TEXT NOT NULL DEFAULT '';

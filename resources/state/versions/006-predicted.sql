-- Nobody asked for a predicted reservation: it keeps work apart, and gives way to work that is under way.
ALTER TABLE reservation ADD COLUMN predicted INTEGER NOT NULL DEFAULT 0;

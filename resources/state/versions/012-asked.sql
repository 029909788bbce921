-- 'run': the wish of a `run`, which ends with it; '': lasts until the issue is done or taken out.
ALTER TABLE task ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';

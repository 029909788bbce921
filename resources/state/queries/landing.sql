-- name: landing-live
-- What waits to land, is being tried or waits for a person, in order of arrival.
SELECT * FROM landing WHERE state IN ('queued', 'checking', 'held', 'look') ORDER BY id;

-- name: landings
-- Everything that was ever queued, newest first.
SELECT * FROM landing ORDER BY id DESC;

-- name: landing
-- One entry.
SELECT * FROM landing WHERE id = :id;

-- name: landing-of-merge
-- The entry that a commit of the base branch landed.
SELECT * FROM landing WHERE merged = :merged;

-- name: landings-judged
-- The newest entries on which the gate has spoken, newest first.
SELECT state FROM landing WHERE state = 'landed' OR blamed > 0 ORDER BY changed_at DESC LIMIT 300;

-- name: landing-insert
-- Queue a branch.
INSERT INTO landing (issue, branch, tip, fence, priority, state, queued_at, changed_at)
VALUES (:issue, :branch, :tip, :fence, :priority, 'queued', :queued_at, :queued_at);

-- name: landing-move
-- Change an entry's state from :old; changes no row when it has moved on.
UPDATE landing SET state = :new, why = :why, merged = :merged, blamed = :blamed, changed_at = :changed_at
WHERE id = :id AND state = :old;

-- name: landing-approve
-- A person has looked at an entry and lets it be tried.
UPDATE landing SET state = 'queued', why = '', approved = 1, changed_at = :changed_at WHERE id = :id AND state = 'look';

-- name: landing-priority
-- Let an entry land earlier or later than others.
UPDATE landing SET priority = :priority, changed_at = :changed_at
WHERE id = :id AND state IN ('queued', 'checking', 'held', 'look');

-- name: landing-unclaim
-- The entry's claim was given back on purpose: it stands for itself.
UPDATE landing SET fence = 0 WHERE issue = :issue AND fence = :fence
    AND state IN ('queued', 'checking', 'held', 'look');

-- name: verdict
-- What the gate said about a tree.
SELECT * FROM verdict WHERE tree = :tree AND gate = :gate;

-- name: verdict-put
-- Record the gate's word on a tree.
INSERT INTO verdict (tree, gate, passed, evidence, judged_at) VALUES (:tree, :gate, :passed, :evidence, :judged_at)
ON CONFLICT (tree, gate) DO UPDATE SET passed = excluded.passed, evidence = excluded.evidence, judged_at = excluded.judged_at;

-- name: trial-begin
-- The gate begins to judge (or already has judged) a commit.
INSERT INTO trial (tip, members, about, whole, judged, tree, gate, state, began_at)
VALUES (:tip, :members, :about, :whole, :judged, :tree, :gate, :state, :began_at) RETURNING id;

-- name: trial-end
-- What became of a running trial; changes no row when it had ended before.
UPDATE trial SET state = :state, why = :why, beside = :beside, ended_at = :ended_at WHERE id = :id AND state = 'running';

-- name: trial-void
-- A verdict that proved not to be about what would land.
UPDATE trial SET state = 'stopped', why = :why WHERE id = :id;

-- name: trials-telling
-- The newest trials that run or have told something, newest first.
SELECT * FROM trial WHERE state <> 'stopped' ORDER BY id DESC LIMIT 300;

-- name: trial
-- One trial.
SELECT * FROM trial WHERE id = :id;

-- name: trials-running
-- Every trial that runs, as far as the ledger knows.
SELECT * FROM trial WHERE state = 'running' ORDER BY id;

-- name: trials-timed
-- How long green runs took, by how many ran beside them, newest first.
SELECT beside, ended_at - began_at AS seconds FROM trial
WHERE state = 'green' AND beside >= 0 AND gate = :gate ORDER BY id DESC LIMIT 60;

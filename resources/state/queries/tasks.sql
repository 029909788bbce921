-- name: tasks
-- Every task, in the order in which it was taken up.
SELECT * FROM task ORDER BY rank, issue;

-- name: task
-- One task.
SELECT * FROM task WHERE issue = :issue;

-- name: task-put
-- Take up an issue, or take it up again after it was released or handed off.
INSERT INTO task (issue, title, state, track, program, why, filter, rank, changed_at)
VALUES (:issue, :title, 'waiting', :track, :program, :why, :filter, :rank, :changed_at)
ON CONFLICT (issue) DO UPDATE SET title = excluded.title, state = 'waiting', track = excluded.track,
    program = excluded.program, why = excluded.why, filter = excluded.filter, rank = excluded.rank, attempt = 0,
    changed_at = excluded.changed_at
WHERE task.state IN ('released', 'handed_off', 'landed');

-- name: task-why
-- Why a task still waits.
UPDATE task SET why = :why, track = :track, changed_at = :changed_at WHERE issue = :issue AND state IN ('waiting', 'retry') AND why <> :why;

-- name: task-work
-- An agent starts (again) on a task.
UPDATE task SET state = 'working', agent = :agent, program = :program, slot = :slot, branch = :branch, base = :base,
    fence = :fence, attempt = :attempt, why = '', process = :process, changed_at = :changed_at
WHERE issue = :issue;

-- name: task-process
-- The process that works on a task.
UPDATE task SET process = :process, changed_at = :changed_at WHERE issue = :issue AND fence = :fence;

-- name: task-move
-- Change a task's state under its fence; changes no row when somebody else took it over.
UPDATE task SET state = :state, why = :why, changed_at = :changed_at WHERE issue = :issue AND fence = :fence;

-- name: task-free
-- A task that waits for another attempt holds no slot.
UPDATE task SET slot = '', fence = 0, process = '{}', changed_at = :changed_at WHERE issue = :issue AND fence = :fence;

-- name: landing-live
-- What waits to land or is being checked, in order of arrival.
SELECT * FROM landing WHERE state IN ('queued', 'checking', 'held') ORDER BY id;

-- name: landings
-- Everything that was ever queued, newest first.
SELECT * FROM landing ORDER BY id DESC;

-- name: landing
-- One entry.
SELECT * FROM landing WHERE id = :id;

-- name: landing-insert
-- Queue a branch.
INSERT INTO landing (issue, branch, tip, fence, priority, state, queued_at, changed_at)
VALUES (:issue, :branch, :tip, :fence, :priority, 'queued', :queued_at, :queued_at);

-- name: landing-move
-- Change an entry's state from :old; changes no row when it has moved on.
UPDATE landing SET state = :new, why = :why, merged = :merged, changed_at = :changed_at WHERE id = :id AND state = :old;

-- name: verdict
-- What the gate said about a tree.
SELECT * FROM verdict WHERE tree = :tree AND gate = :gate;

-- name: verdict-put
-- Record the gate's word on a tree.
INSERT INTO verdict (tree, gate, passed, evidence, judged_at) VALUES (:tree, :gate, :passed, :evidence, :judged_at)
ON CONFLICT (tree, gate) DO UPDATE SET passed = excluded.passed, evidence = excluded.evidence, judged_at = excluded.judged_at;

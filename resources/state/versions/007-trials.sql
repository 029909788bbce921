-- The queue tries several changes at once. A trial is one run of the gate on a commit of the base branch (`tip`) with
-- some entries merged on top (`members`, a JSON list of entry ids); `state` 'stopped' says that it told nothing.
-- `beside` is how many others ran all the while, -1 when that changed: it tells how many gates the machine can run.
CREATE TABLE trial (
    id       INTEGER PRIMARY KEY,
    tip      TEXT NOT NULL,
    members  TEXT NOT NULL,
    about    INTEGER NOT NULL,
    whole    INTEGER NOT NULL,
    judged   TEXT NOT NULL,
    tree     TEXT NOT NULL,
    gate     TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('running', 'green', 'red', 'stopped')),
    why      TEXT NOT NULL DEFAULT '',
    beside   INTEGER NOT NULL DEFAULT -1,
    began_at REAL NOT NULL,
    ended_at REAL NOT NULL DEFAULT 0
);
CREATE INDEX trial_telling ON trial (id) WHERE state <> 'stopped';

-- 'look': a person must look at the entry before it may be tried; `approved` says that one has. `blamed` is the trial
-- because of which it bounced.
CREATE TABLE landing_next (
    id         INTEGER PRIMARY KEY,
    issue      TEXT NOT NULL,
    branch     TEXT NOT NULL,
    tip        TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'checking', 'held', 'look', 'landed', 'bounced', 'withdrawn')),
    why        TEXT NOT NULL DEFAULT '',
    merged     TEXT NOT NULL DEFAULT '',
    approved   INTEGER NOT NULL DEFAULT 0,
    blamed     INTEGER NOT NULL DEFAULT 0,
    queued_at  REAL NOT NULL,
    changed_at REAL NOT NULL
);
INSERT INTO landing_next (id, issue, branch, tip, fence, priority, state, why, merged, queued_at, changed_at)
SELECT id, issue, branch, tip, fence, priority, state, why, merged, queued_at, changed_at FROM landing;
DROP TABLE landing;
ALTER TABLE landing_next RENAME TO landing;
CREATE UNIQUE INDEX landing_live ON landing (issue) WHERE state IN ('queued', 'checking', 'held', 'look');
CREATE UNIQUE INDEX landing_merged ON landing (merged) WHERE merged <> '';

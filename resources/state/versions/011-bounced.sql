-- 'bounced': the task's work came back, and its author waits in its slot for a free seat.
CREATE TABLE task_next (
    issue      TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN
        ('waiting', 'working', 'judging', 'bounced', 'retry', 'landed', 'handed_off', 'released')),
    track      TEXT NOT NULL DEFAULT '',
    agent      TEXT NOT NULL DEFAULT '',
    program    TEXT NOT NULL DEFAULT '',
    slot       TEXT NOT NULL DEFAULT '',
    branch     TEXT NOT NULL DEFAULT '',
    base       TEXT NOT NULL DEFAULT '',
    fence      INTEGER NOT NULL DEFAULT 0,
    attempt    INTEGER NOT NULL DEFAULT 0,
    why        TEXT NOT NULL DEFAULT '',
    filter     TEXT NOT NULL DEFAULT '',
    process    TEXT NOT NULL DEFAULT '{}',
    rank       INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL
);
INSERT INTO task_next SELECT issue, title, state, track, agent, program, slot, branch, base, fence, attempt, why, filter,
    process, rank, changed_at FROM task;
DROP TABLE task;
ALTER TABLE task_next RENAME TO task;

-- What agents say of the issues they work on by themselves. `fence` is the claim that stands for it.
CREATE TABLE progress (
    issue      TEXT PRIMARY KEY,
    state      TEXT NOT NULL CHECK (state IN ('started', 'completed', 'failed')),
    agent      TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    pr         INTEGER NOT NULL DEFAULT 0,
    why        TEXT NOT NULL DEFAULT '',
    started_at REAL NOT NULL,
    changed_at REAL NOT NULL
);

-- The ledger, version 1. Times in columns named *_at are wall-clock seconds (for people); `expires` is
-- boot-clock seconds on the host that `owner` names (for decisions). JSON columns hold one object each.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE slot (
    name       TEXT PRIMARY KEY,
    number     INTEGER NOT NULL,
    purpose    TEXT NOT NULL CHECK (purpose IN ('work', 'gate')),
    path       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('making', 'idle', 'leased', 'quarantine')),
    base       TEXT NOT NULL DEFAULT '',
    view       TEXT NOT NULL DEFAULT '{}',
    database   TEXT NOT NULL DEFAULT '',
    port_low   INTEGER NOT NULL DEFAULT 0,
    port_high  INTEGER NOT NULL DEFAULT 0,
    note       TEXT NOT NULL DEFAULT '',
    changed_at REAL NOT NULL,
    UNIQUE (purpose, number)
);

-- One live lease per resource: the partial index is what makes a read-then-write race harmless.
-- `fence` never comes back: every later write about the lease names it and must change exactly one row.
CREATE TABLE lease (
    fence       INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('slot', 'issue')),
    resource    TEXT NOT NULL,
    agent       TEXT NOT NULL,
    issue       TEXT NOT NULL,
    owner       TEXT NOT NULL,
    taken_at    REAL NOT NULL,
    expires     REAL NOT NULL,
    released_at REAL
);
CREATE UNIQUE INDEX lease_live ON lease (kind, resource) WHERE released_at IS NULL;

CREATE TABLE reservation (
    id          INTEGER PRIMARY KEY,
    agent       TEXT NOT NULL,
    issue       TEXT NOT NULL,
    pattern     TEXT NOT NULL,
    shared      INTEGER NOT NULL,
    why         TEXT NOT NULL,
    owner       TEXT NOT NULL,
    taken_at    REAL NOT NULL,
    expires_at  REAL NOT NULL,
    expires     REAL NOT NULL,
    released_at REAL
);
CREATE INDEX reservation_live ON reservation (agent) WHERE released_at IS NULL;

CREATE TABLE task (
    issue      TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN
        ('waiting', 'working', 'judging', 'retry', 'landed', 'handed_off', 'released')),
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

CREATE TABLE landing (
    id         INTEGER PRIMARY KEY,
    issue      TEXT NOT NULL,
    branch     TEXT NOT NULL,
    tip        TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'checking', 'held', 'landed', 'bounced', 'withdrawn')),
    why        TEXT NOT NULL DEFAULT '',
    merged     TEXT NOT NULL DEFAULT '',
    queued_at  REAL NOT NULL,
    changed_at REAL NOT NULL
);
CREATE UNIQUE INDEX landing_live ON landing (issue) WHERE state IN ('queued', 'checking', 'held');
CREATE UNIQUE INDEX landing_merged ON landing (merged) WHERE merged <> '';

-- A gate's verdict on a tree: the same tree under the same checks needs no second run.
CREATE TABLE verdict (
    tree      TEXT NOT NULL,
    gate      TEXT NOT NULL,
    passed    INTEGER NOT NULL,
    evidence  TEXT NOT NULL,
    judged_at REAL NOT NULL,
    PRIMARY KEY (tree, gate)
);

CREATE TABLE condemned (
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    since_at   REAL NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Append-only: what was done, by whom, about what; written in the transaction that did it.
CREATE TABLE event (
    seq   INTEGER PRIMARY KEY,
    at    REAL NOT NULL,
    kind  TEXT NOT NULL,
    issue TEXT NOT NULL DEFAULT '',
    slot  TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT '',
    data  TEXT NOT NULL DEFAULT '{}'
);

INSERT INTO meta (key, value) VALUES ('version', '1'), ('fence', '0');

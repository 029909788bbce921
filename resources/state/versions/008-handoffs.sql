-- What each attempt that did not land leaves for the next one, whoever coordinates it. `ran` is a JSON list of the
-- commands of the gate; the agent's output is bytes log_from to log_to of `log`; `tree` is what the work came to.
CREATE TABLE handoff (
    id       INTEGER PRIMARY KEY,
    issue    TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    why      TEXT NOT NULL,
    evidence TEXT NOT NULL,
    saved    TEXT NOT NULL,
    tree     TEXT NOT NULL,
    log      TEXT NOT NULL,
    log_from INTEGER NOT NULL,
    log_to   INTEGER NOT NULL,
    stat     TEXT NOT NULL,
    ran      TEXT NOT NULL,
    left_at  REAL NOT NULL
);
CREATE INDEX handoff_issue ON handoff (issue);

-- What an agent says instead of committing: nothing has to be changed. It counts for the attempt in which it was said.
CREATE TABLE resolution (
    issue   TEXT PRIMARY KEY,
    fence   INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('no-change', 'obsolete', 'already-done')),
    why     TEXT NOT NULL,
    proof   TEXT NOT NULL,
    said_at REAL NOT NULL
);

-- Who waits for whose reservation now; the process that waits answers for the row.
CREATE TABLE wait (
    agent    TEXT NOT NULL,
    issue    TEXT NOT NULL,
    holder   TEXT NOT NULL,
    pattern  TEXT NOT NULL,
    owner    TEXT NOT NULL,
    since_at REAL NOT NULL,
    PRIMARY KEY (agent, issue)
);

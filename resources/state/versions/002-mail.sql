-- Letters between agents, people and the coordinator. A delivery goes to an agent, to an issue (then whoever works on
-- it reads it) or to both: agents' names come back with the next issue, and a letter must not follow the name.
CREATE TABLE letter (
    id         INTEGER PRIMARY KEY,
    thread     TEXT NOT NULL,
    sender     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    importance TEXT NOT NULL CHECK (importance IN ('low', 'normal', 'high', 'urgent')),
    wants_ack  INTEGER NOT NULL,
    sent_at    REAL NOT NULL
);
CREATE INDEX letter_thread ON letter (thread);

CREATE TABLE delivery (
    letter   INTEGER NOT NULL REFERENCES letter (id),
    agent    TEXT NOT NULL,
    issue    TEXT NOT NULL,
    told_at  REAL,
    read_at  REAL,
    acked_at REAL,
    PRIMARY KEY (letter, agent, issue)
);
CREATE INDEX delivery_unread ON delivery (agent, issue) WHERE read_at IS NULL;

-- Names that may be written to without having worked here: people, and agents of other tools.
CREATE TABLE correspondent (
    name          TEXT PRIMARY KEY,
    about         TEXT NOT NULL,
    registered_at REAL NOT NULL
);

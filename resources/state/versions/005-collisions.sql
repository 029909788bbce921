-- Two pieces of unlanded work that git could not merge when somebody looked last. `b` is 'base' when `a` is stale.
CREATE TABLE collision (
    a        TEXT NOT NULL,
    b        TEXT NOT NULL,
    paths    TEXT NOT NULL,
    since_at REAL NOT NULL,
    PRIMARY KEY (a, b)
);

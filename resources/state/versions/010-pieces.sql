-- The paths that the unlanded work on an issue changed when the radar looked last, uncommitted edits included. `paths`
-- is a JSON list; `finished` says that the work waits to land.
CREATE TABLE piece (
    issue    TEXT PRIMARY KEY,
    paths    TEXT NOT NULL,
    finished INTEGER NOT NULL,
    seen_at  REAL NOT NULL
);

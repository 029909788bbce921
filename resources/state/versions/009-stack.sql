-- What stacked work stands on. `base` is the commit that the attempt at `issue` began from: the base branch with the
-- tips of finished, unlanded dependencies merged on top, `tip` being that of `parent`. `offered` is a newer tip of it
-- that the agent was told of, `told` what it heard last about the parent.
CREATE TABLE stack (
    issue   TEXT NOT NULL,
    base    TEXT NOT NULL,
    parent  TEXT NOT NULL,
    tip     TEXT NOT NULL,
    offered TEXT NOT NULL DEFAULT '',
    told    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (issue, base, parent)
);

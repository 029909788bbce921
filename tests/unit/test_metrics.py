"""The Prometheus text: the promised names, well-formed, and no label that grows without end."""

import re

from resources.monitor.limits import Reading
from resources.monitor.metrics import render
from resources.monitor.values import Usage

USAGE = Usage(
    at=0.0,
    connections={"shop_wt_1": 2},
    connection_states={"idle": 1, "idle in transaction": 1},
    database_sizes={"database": 8_000_000},
    connections_total=2,
    connections_usable=97,
    disk={"pool-wt-1": 1000},
    disk_used=1000,
    disk_free=10,
    descriptors={"pool-wt-1": 0.5},
    descriptors_worst="node (4711)",
    states={"sleeping": 3},
    slots={"idle": 1},
)
TEXT = render(
    'my "shop"',
    USAGE,
    [Reading("memory", 0.5, 0.8, 0.9, "ratio")],
    {"branch": 1},
    {("branch", "reclaimed"): 2},
    {"spare": (3, 0.12)},
)
PAIR = r'([a-z]+)="((?:[^"\\]|\\.)*)"'
LINE = re.compile(rf"([a-z_]+)\{{((?:{PAIR},?)+)\}} ([0-9.e+-]+)")
PROMISED = {
    "worktrees": {"state"}, "worktree_disk_bytes": {"worktree"}, "processes": {"state"}, "open_fds": set(),
    "fd_limit_ratio_max": set(), "db_connections": {"state"}, "db_connection_limit": set(), "db_size_bytes": {"kind"},
    "leaks": {"kind"}, "reaped_total": {"kind", "result"}, "check_duration_seconds": set(),
    "limit_level": {"resource"}, "db_acquire_duration_seconds_sum": {"source"},
    "db_acquire_duration_seconds_count": {"source"},
}  # fmt: skip


def found():
    """Name and labels of each line of values."""
    for line in TEXT.splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            yield match[1], dict(re.findall(PAIR, match[2]))


def test_every_promised_name_is_there_with_its_labels():
    labels = {name.removeprefix("agent_coord_"): set(pairs) - {"project"} for name, pairs in found()}
    assert {name: labels.get(name) for name in PROMISED} == PROMISED


def test_each_family_is_told_of_once_before_its_values():
    told = re.findall(r"^# TYPE (\S+) (gauge|counter|summary)$", TEXT, re.MULTILINE)
    families = {name for name, _ in told}
    assert len(told) == len(families)
    assert all(name.endswith("_total") for name, kind in told if kind == "counter")
    assert {re.sub("_(sum|count)$", "", name) for name, _ in found()} == families


def test_no_label_holds_a_pid_or_a_path():
    for name, pairs in found():
        assert pairs.pop("project") == 'my \\"shop\\"'
        assert not any("/" in text or re.search(r"\d{3,}", text) for text in pairs.values()), name

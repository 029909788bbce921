"""Each step of an issue's way that a crash could tear, hit on purpose: afterwards it has landed once, and whole."""

from pathlib import Path

import pytest

from tests.support.failpoints import killed_at
from tests.support.projects import Place, make_place, writes
from tests.support.repos import git_out

LANDING = [
    ("git commit-tree", 1, "after"),  # the merge is built, nobody knows it
    ("ledger landing-insert", 1, "before"),
    ("ledger landing-insert", 1, "after"),  # queued
    ("ledger landing-move", 1, "before"),
    ("ledger landing-move", 1, "after"),  # being checked
    ("ledger verdict-put", 1, "before"),
    ("ledger verdict-put", 1, "after"),  # judged
    ("git merge", 1, "before"),
    ("git merge", 1, "after"),  # the base has moved, the ledger does not know
    ("ledger landing-move", 2, "before"),
    ("ledger landing-move", 2, "after"),  # the ledger knows, the task does not
]
BEGINNING = [
    ("ledger lease-insert", 1, "after"),  # the claim, and nothing else
    ("ledger lease-insert", 2, "after"),  # the slot, and no branch
    ("git switch", 1, "after"),
    ("ledger task-work", 1, "after"),
    ("ledger task-process", 1, "before"),  # the agent runs, and nobody has noted it
]
ENDING = [
    ("ledger task-move", 2, "after"),  # landed, and the slot not given back
    ("ledger lease-release", 1, "before"),
    ("ledger lease-release", 1, "after"),
    ("ledger lease-release", 2, "after"),
]
TORN = [("git merge", 1, "after"), ("ledger landing-move", 2, "after"), ("ledger lease-insert", 2, "after")]


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def landings(place: Place) -> list[str]:
    subjects = git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()
    return [line for line in subjects if line.startswith("Land")]


def all_is_well_after(place: Place, point: tuple[str, int, str]) -> None:
    work = writes("one.txt", "1", "a-1: one")
    place.script("a-1", work, work, work)
    place.json("init")
    assert killed_at(place.root, *point, "run", "--only", "a-1"), "the step was never reached"

    place.run("doctor", "--fix")
    leaks = place.json("detect-leaks", program="resource-monitor")
    assert (leaks["complete"], leaks["leaks"]) == (True, [])
    place.json("run", "--only", "a-1")

    assert landings(place) == ["Land a-1: Write one.txt"]
    assert git_out(place.root, "show", "main:one.txt") == "1"
    assert place.issues["a-1"]["status"] == "closed"
    status = place.json("status")
    assert ({slot["state"] for slot in status["slots"]}, status["merge"]) == ({"idle"}, [])


@pytest.mark.parametrize("point", TORN, ids=str)
def test_what_a_crash_tears_most_is_mended(place: Place, point: tuple[str, int, str]) -> None:
    all_is_well_after(place, point)


@pytest.mark.real
@pytest.mark.parametrize("point", [one for one in LANDING + BEGINNING + ENDING if one not in TORN], ids=str)
def test_every_step_may_be_the_last(place: Place, point: tuple[str, int, str]) -> None:
    all_is_well_after(place, point)


@pytest.mark.parametrize(
    ("step", "way"),
    [
        ("git sparse-checkout", "after"),
        pytest.param("git sparse-checkout", "before", marks=pytest.mark.real),
        pytest.param("ledger slot-prepared", "before", marks=pytest.mark.real),
        pytest.param("ledger slot-prepared", "after", marks=pytest.mark.real),
    ],
)
def test_a_view_that_was_being_changed_can_be_changed_again(place: Place, step: str, way: str) -> None:
    place.json("init")
    place.json("assign", "ann", "a-1")
    assert killed_at(place.root, step, 1, way, "scope", "apply", "pool-wt-1", "README.md", "--mode", "exact")
    place.run("doctor", "--fix")
    place.json("scope", "apply", "pool-wt-1", "README.md", "--mode", "exact")
    (slot,) = [one for one in place.json("status")["slots"] if one["issue"]]
    assert (slot["slot"], slot["state"]) == ("pool-wt-1", "leased")
    place.json("release", "pool-wt-1")


@pytest.mark.parametrize("way", [pytest.param("before", marks=pytest.mark.real), "after"])
def test_a_release_by_hand_that_was_torn_loses_no_work(place: Place, way: str) -> None:
    place.json("init")
    slot = place.root / place.json("assign", "ann", "a-1")["path"]
    (slot / "draft.txt").write_text("half done")
    assert killed_at(place.root, "ledger lease-release", 1, way, "release", slot.name)
    place.run("doctor", "--fix")
    place.run("release", slot.name)
    saved = git_out(place.root, "for-each-ref", "--format=%(refname)", "refs/agent-coord/saved").splitlines()
    assert "half done" in [git_out(place.root, "show", f"{ref}:draft.txt") for ref in saved]
    assert {one["state"] for one in place.json("status")["slots"]} == {"idle"}
    assert place.json("detect-leaks", program="resource-monitor")["leaks"] == []

"""What will not merge is told before it lands: real slots, real edits."""

import json
from pathlib import Path

import pytest

from analyzer.planning.proposal import Request
from analyzer.scopes.seen import WHY
from coordinator.bootstrap import Project, open_project
from coordinator.mail import letters
from coordinator.mail.letters import Reader
from coordinator.merging import radar
from coordinator.merging.collisions import BASE, Collision, Piece, news, worth_a_merge
from coordinator.merging.outlook import Onlooker
from coordinator.running.planning import find_scope, plan_once
from coordinator.tasks import claims
from resources.system.git import git
from tests.support.projects import Place, make_place
from tests.support.repos import commit


@pytest.fixture
def project(tmp_path: Path):
    place = make_place(tmp_path / "a place", {"a.txt": "1\n2\n3\n", "b.txt": "b\n"})
    place.run("init")
    opened = open_project(place.root)
    for issue in ("a-1", "a-2"):
        free(place, issue)
        assert place.run("assign", f"hand-{issue}", issue).returncode == 0
    yield opened
    opened.close()


def free(place: Place, issue: str) -> None:
    """The tracker's second issue waits for nothing."""
    file = place.root / ".beads" / "issues.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({**line, "dependencies": []}) + "\n" for line in lines))


def slot_of(project: Project, issue: str) -> Path:
    with project.ledger.read() as snapshot:
        task = snapshot.one("task", issue=issue) or {}
        return Path(next(row["path"] for row in snapshot.all("slots") if row["name"] == task["slot"]))


def letters_of(project: Project, issue: str) -> list[str]:
    with project.ledger.read() as snapshot:
        return [one.subject for one in letters.inbox(snapshot, Reader(f"hand-{issue}", issue))]


def test_uncommitted_edits_collide_and_the_later_is_told_once(project: Project) -> None:
    first, second = slot_of(project, "a-1"), slot_of(project, "a-2")
    (first / "a.txt").write_text("one\n2\n3\n")
    (second / "a.txt").write_text("two\n2\n3\n")
    (second / "new.txt").write_text("n\n")
    before = git(second, "status", "--porcelain").text
    index = git(second, "rev-parse", "--path-format=absolute", "--git-path", "index").text
    stamp = Path(index).stat().st_mtime_ns
    seen = radar.look(project)
    assert seen.collisions == (Collision("a-2", "a-1", ("a.txt",)),)
    assert {one.issue: sorted(one.paths) for one in seen.pieces}["a-2"] == ["a.txt", "new.txt"]
    assert git(second, "status", "--porcelain").text == before, "the slot stays as it is"
    assert Path(index).stat().st_mtime_ns == stamp, "an agent's index is never touched"
    assert radar.look(project).new == ()
    found = Onlooker(project).look()
    assert [(one.issue, one.other, one.agent, one.paths) for one in found.collided] == [
        ("a-2", "a-1", "hand-a-2", ("a.txt",))
    ]
    assert found.looked is not None
    assert found.looked[1] == 2
    assert letters_of(project, "a-1") == []
    assert letters_of(project, "a-2") == ["your work on a-2 cannot be merged with the work on a-1: a.txt"]


def test_stale_is_told_apart_and_ends_when_it_is_brought_up_to_date(project: Project) -> None:
    slot = slot_of(project, "a-2")
    (slot / "a.txt").write_text("mine\n2\n3\n")
    commit(project.repository.root, {"a.txt": "landed\n2\n3\n"}, "somebody else landed")
    assert [(one.a, one.b) for one in radar.look(project).collisions] == [("a-2", BASE)]
    (slot / "a.txt").write_text("landed\n2\nand mine\n")
    git(slot, "commit", "-qam", "a-2: mine")
    git(slot, "merge", "-q", "-X", "ours", "main")
    assert radar.look(project).collisions == ()


def test_a_slot_that_stood_still_rests_for_one_look_and_no_longer(project: Project) -> None:
    first, second = slot_of(project, "a-1"), slot_of(project, "a-2")
    lookout = radar.Lookout()
    (first / "a.txt").write_text("one\n2\n3\n")
    for number in range(2):
        (second / "b.txt").write_text(f"{number}\n")
        assert radar.look(project, lookout).collisions == ()
    (first / "new.txt").write_text("while it rests\n")
    (second / "a.txt").write_text("two\n2\n3\n")
    seen = radar.look(project, lookout)
    assert {one.issue: sorted(one.paths) for one in seen.pieces} == {"a-1": ["a.txt"], "a-2": ["a.txt", "b.txt"]}
    assert seen.collisions == (Collision("a-2", "a-1", ("a.txt",)),), "who rests is merged with those who do not"
    seen = radar.look(project, lookout)
    assert {one.issue: sorted(one.paths) for one in seen.pieces}["a-1"] == ["a.txt", "new.txt"]


def test_only_shared_paths_are_worth_a_merge() -> None:
    early, late = Piece("e", "1", frozenset("ab"), 1.0), Piece("l", "2", frozenset("bc"), 2.0)
    queued, other = Piece("q", "3", frozenset("b"), 3.0, queued=True), Piece("o", "4", frozenset("z"), 4.0)
    pairs = [(told.issue, by.issue) for told, by in worth_a_merge([early, late, queued, other])]
    assert pairs == [("l", "e"), ("e", "q"), ("l", "q")]
    known = [Collision("l", "e", ("a", "b"))]
    assert news(known, [Collision("l", "e", ("b",)), Collision("l", "q", ("b",))]) == [Collision("l", "q", ("b",))]


def test_what_was_seen_of_unlanded_work_is_planned_with(project: Project) -> None:
    (slot_of(project, "a-1") / "b.txt").write_text("changed, not committed\n")
    radar.look(project)
    request = Request(slots=1, now=0.0, busy=("a-1", "a-2"))
    scope = plan_once(project, request).scopes["a-1"]
    assert next((file.path, file.evidence[0]) for file in scope.files) == ("b.txt", WHY)
    assert "b.txt" in scope.write
    assert all(file.evidence[:1] != (WHY,) for file in find_scope(project, "a-1")[1].files), "a new attempt is free"
    with project.ledger.write() as tx:
        task = claims.find_task(tx, "a-1")
        assert task is not None
        claims.move(tx, task, "landed")
    assert plan_once(project, request).request.seen.keys() == set(), "what has landed is in the tree"

"""Agents that take their work themselves: the commands as processes, and the file that they keep."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coordinator.tasks import claims, progress
from resources.state.leases import live
from resources.state.sqlite import SqliteLedger
from tests.support.projects import Place, make_place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = make_place(tmp_path / "a place")
    assert made.run("init", "--slots", "1").returncode == 0
    return made


def seen(place: Place) -> dict[str, str]:
    file = place.root / ".agent-worktrees" / ".progress.json"
    return {issue: line["phase"] for issue, line in json.loads(file.read_text())["tasks"].items()}


def test_a_dependant_is_free_as_soon_as_its_dependency_is_completed(place: Place) -> None:
    assert [one["issue"] for one in place.json("task", "available")["tasks"]] == ["a-1"]
    assert place.run("task", "start", "a-2").returncode == 4, "dependencies are hard"
    place.json("task", "start", "a-1")
    assert place.issues["a-1"]["status"] == "in_progress"
    assert seen(place) == {"a-1": "started", "a-2": "waiting"}
    told = place.run("task", "complete", "a-1", "--pr", "7")
    assert "now free: a-2" in told.stdout
    assert seen(place) == {"a-1": "completed", "a-2": "available"}
    assert place.run("task", "start", "a-1").returncode == 4, "finished work is not taken up again"


def test_what_failed_is_free_for_the_next_with_the_reason(place: Place) -> None:
    place.json("task", "start", "a-1")
    place.json("task", "fail", "a-1", "--why", "no key for the service")
    assert place.issues["a-1"]["status"] == "open"
    assert "no key for the service" in place.run("task", "available").stdout
    assert place.run("task", "complete", "a-1").returncode == 4
    place.json("task", "start", "a-1")
    assert seen(place)["a-1"] == "started"


def test_the_coordinator_and_agents_by_themselves_share_one_claim(place: Place) -> None:
    place.json("task", "start", "a-1")
    held = place.run("assign", "ann", "a-1")
    assert held.returncode == 4
    assert "leased to" in held.stderr or "worked on" in held.stderr
    assert place.run("task", "start", "a-9").returncode == 1


def test_three_agents_race_for_every_verb_and_nothing_is_lost(tmp_path: Path) -> None:
    SqliteLedger.create(tmp_path).close()
    issues = [f"r-{number}" for number in range(40)]

    def work(agent: str) -> list[tuple[str, str]]:
        ledger, done = SqliteLedger(tmp_path), []
        for issue in issues:
            try:
                with ledger.write() as tx:
                    progress.start(tx, issue, agent)
                with ledger.write() as tx:
                    if (int(issue[2:]) + ord(agent[0])) % 3:
                        progress.complete(tx, issue, agent)
                        done.append((issue, "completed"))
                    else:
                        progress.fail(tx, issue, agent, "no")
                        done.append((issue, "failed"))
            except Exception:  # noqa: BLE001 - refused: another holds it
                continue
        ledger.close()
        return done

    with ThreadPoolExecutor(3) as pool:
        ended = [one for each in pool.map(work, ("ann", "bob", "cat")) for one in each]
    ledger = SqliteLedger(tmp_path)
    with ledger.read() as snapshot:
        words = progress.all_progress(snapshot)
        kinds = [row["kind"] for row in snapshot.all("events-since", seq=0)]
        held = {lease.resource for lease in live(snapshot, "issue")}
        assert not claims.all_tasks(snapshot)
    assert set(words) == set(issues)
    assert kinds.count("progress.completed") + kinds.count("progress.failed") == len(ended)
    completed = [issue for issue, state in ended if state == "completed"]
    assert len(completed) == len(set(completed)), "nothing is completed twice"
    assert held == set(completed), "what is finished stays claimed, what failed is free"

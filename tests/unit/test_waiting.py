import json
from pathlib import Path

import pytest

from coordinator.mail import reservations
from coordinator.mail.waiting import Wish, circle, reserve_waiting, youngest
from resources.state.leases import Owner
from resources.state.sqlite import SqliteLedger
from resources.system.errors import NotNow


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqliteLedger.create(tmp_path)
    yield opened
    opened.close()


def wish(agent: str, *patterns: str) -> Wish:
    return Wish(patterns, agent, f"issue-of-{agent}", "work", owner=Owner.timed())


def test_circles() -> None:
    waits = {"ann": "bob", "bob": "cat", "cat": "ann", "dan": "ann"}
    assert circle(waits, "bob") == ("bob", "cat", "ann")
    assert circle(waits, "dan") == ()
    assert circle({"ann": "bob"}, "ann") == ()
    assert youngest(("ann", "bob"), {"ann": 1.0, "bob": 2.0}) == "bob"


def test_it_is_held_as_soon_as_the_holder_gives_it_back(ledger: SqliteLedger) -> None:
    reserve_waiting(ledger, wish("ann", "src/**"), 0)

    def holder_is_done(_seconds: float) -> None:
        with ledger.write() as tx:
            assert tx.all("waits")[0]["holder"] == "ann"
            reservations.release_issue(tx, "issue-of-ann")

    assert reserve_waiting(ledger, wish("bob", "src/a.py"), 60, holder_is_done)
    with ledger.read() as snapshot:
        assert snapshot.all("waits") == []
        (told,) = snapshot.all("events-of-kind", kind="paths.waited")
    assert (told["agent"], json.loads(told["data"])["granted"]) == ("bob", True)


def test_the_youngest_of_a_circle_gives_way_and_the_other_goes_on(ledger: SqliteLedger) -> None:
    reserve_waiting(ledger, wish("ann", "a.py"), 0)
    reserve_waiting(ledger, wish("bob", "b.py"), 0)

    def bob_wants_a_too(_seconds: float) -> None:
        with pytest.raises(NotNow, match="bob -> ann -> bob"):
            reserve_waiting(ledger, wish("bob", "a.py"), 60)
        with ledger.write() as tx:
            reservations.release_issue(tx, "issue-of-bob")

    assert reserve_waiting(ledger, wish("ann", "b.py"), 60, bob_wants_a_too)


def test_time_is_up(ledger: SqliteLedger) -> None:
    reserve_waiting(ledger, wish("ann", "a.py"), 0)
    with pytest.raises(NotNow, match=r"ann holds a\.py"):
        reserve_waiting(ledger, wish("bob", "a.py"), 0.01, lambda _seconds: None)
    with ledger.read() as snapshot:
        (told,) = snapshot.all("events-of-kind", kind="paths.waited")
    assert json.loads(told["data"])["granted"] is False

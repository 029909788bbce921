"""The contract of the ledger, and of the leases that it keeps."""

import contextlib
import multiprocessing
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from resources.state import leases
from resources.state.leases import Owner
from resources.state.queries import versions
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure, NotNow


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqliteLedger.create(tmp_path / "a folder")
    yield opened
    opened.close()


def test_an_exception_takes_everything_back(ledger: SqliteLedger) -> None:
    def fail() -> None:
        with ledger.write() as tx:
            tx.event("thing.done")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    with ledger.read() as snapshot:
        assert snapshot.all("events-since", seq=0) == []


def test_a_resource_has_one_holder_and_fences_never_come_back(ledger: SqliteLedger) -> None:
    with ledger.write() as tx:
        first = leases.take(tx, "slot", "s1", agent="a", issue="i")
    with pytest.raises(NotNow, match="leased to a for i"), ledger.write() as tx:
        leases.take(tx, "slot", "s1", agent="b", issue="j")
    with ledger.write() as tx:
        assert leases.release(tx, first)
        assert not leases.release(tx, first)
        assert not leases.renew(tx, first.fence)
        second = leases.take(tx, "slot", "s1", agent="b", issue="j")
    assert second.fence > first.fence


def test_a_dead_owner_is_known_at_once(ledger: SqliteLedger) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead = Owner(Owner.here().host, Owner.here().boot, child.pid, "1")
    assert leases.owner_is_dead(dead)
    assert not leases.owner_is_dead(Owner.here())
    assert not leases.owner_is_dead(Owner.timed())
    assert leases.owner_is_dead(Owner(Owner.here().host, "another boot", 1, "1"))


def test_what_a_person_holds_ends_only_by_release(ledger: SqliteLedger) -> None:
    with ledger.write() as tx:
        lease = leases.take(tx, "issue", "i", agent="a", issue="i", ttl=-1)
        assert leases.is_over(lease)
        leases.entrust(tx, lease.fence)
        (held,) = leases.live(tx, "issue")
    assert not leases.is_over(held)


def test_a_ledger_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        SqliteLedger(tmp_path)
    assert caught.value.mend == "agent-coord init"


def test_a_newer_ledger_is_not_written(ledger: SqliteLedger, tmp_path: Path) -> None:
    with ledger.write() as tx:
        tx.change("meta-put", key="version", value="99")
    with pytest.raises(Failure, match="version 99"):
        SqliteLedger(tmp_path / "a folder")


def claim_all(folder: str, name: str, won: "multiprocessing.Queue[tuple[str, str]]") -> None:
    ledger = SqliteLedger(Path(folder))
    for number in range(40):
        try:
            with ledger.write() as tx:
                leases.take(tx, "issue", f"i{number}", agent=name, issue=f"i{number}")
            won.put((f"i{number}", name))
        except NotNow:
            pass
    ledger.close()


def test_processes_never_win_the_same_claim(tmp_path: Path) -> None:
    SqliteLedger.create(tmp_path).close()
    context = multiprocessing.get_context("spawn")
    won = context.Queue()
    racers = [context.Process(target=claim_all, args=(str(tmp_path), f"p{n}", won)) for n in range(4)]
    for racer in racers:
        racer.start()
    claims = [won.get(timeout=60) for _ in range(40)]
    for racer in racers:
        racer.join(60)
    assert won.empty()
    assert len({issue for issue, _ in claims}) == 40


@pytest.mark.parametrize("version", range(1, len(versions()) + 1))
def test_a_ledger_of_any_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    connection = sqlite3.connect(old / "ledger.sqlite3", isolation_level=None)
    for statement in (one for step in versions()[:version] for one in step):
        connection.execute(statement)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", (str(version),))
    connection.close()
    SqliteLedger(old).close()
    SqliteLedger.create(new).close()
    assert _shape(old) == _shape(new)


def _shape(folder: Path) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite3")) as connection:
        facts = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchall()
        return facts + connection.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2").fetchall()

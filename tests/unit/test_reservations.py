from pathlib import Path

import pytest

from coordinator.mail import reservations
from resources.state.leases import Owner
from resources.state.sqlite import SqliteLedger
from resources.system.errors import NotNow


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqliteLedger.create(tmp_path)
    yield opened
    opened.close()


def hold(ledger: SqliteLedger, agent: str, *patterns: str, shared: bool = False, ttl: float = 60.0) -> list[int]:
    with ledger.write() as tx:
        return reservations.reserve(
            tx,
            patterns,
            agent=agent,
            issue=f"issue-of-{agent}",
            why="work",
            shared=shared,
            ttl=ttl,
            owner=Owner.timed(),
        )


def test_a_refusal_names_holder_witness_and_expiry_and_holds_nothing(ledger: SqliteLedger) -> None:
    hold(ledger, "ann", "src/**")
    with pytest.raises(NotNow) as caught:
        hold(ledger, "bob", "docs/a.md", "src/*/models.py")
    assert "ann holds src/** for issue-of-ann until" in caught.value.what
    assert "src/" in caught.value.why
    with ledger.read() as snapshot:
        assert {one.agent for one in reservations.live(snapshot)} == {"ann"}


def test_shared_beside_shared_and_ones_own(ledger: SqliteLedger) -> None:
    hold(ledger, "ann", "CHANGELOG.md", shared=True)
    hold(ledger, "bob", "CHANGELOG.md", shared=True)
    with pytest.raises(NotNow):
        hold(ledger, "cat", "CHANGELOG.md")
    hold(ledger, "ann", "src/a.py")
    hold(ledger, "ann", "src/a.py")


def test_it_ends_by_release_and_by_its_term(ledger: SqliteLedger) -> None:
    (held,) = hold(ledger, "ann", "a.py")
    hold(ledger, "ann", "b.py", ttl=-1)
    hold(ledger, "bob", "b.py")
    with ledger.write() as tx:
        assert reservations.release(tx, [held]) == 1
        assert reservations.release(tx, [held]) == 0
    hold(ledger, "bob", "a.py")
    with ledger.write() as tx:
        assert reservations.release_issue(tx, "issue-of-bob") == 2
        assert reservations.live(tx) == []

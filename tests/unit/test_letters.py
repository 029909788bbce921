from pathlib import Path

import pytest

from coordinator.mail import letters
from coordinator.mail.letters import Draft, Letter, Reader
from coordinator.tasks import claims
from coordinator.tasks.claims import Wish
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqliteLedger.create(tmp_path)
    at_work(opened, "bd-1", "agent-1")
    yield opened
    opened.close()


def at_work(ledger: SqliteLedger, issue: str, agent: str) -> None:
    with ledger.write() as tx:
        claims.enlist(tx, [Wish(issue, issue, "", "scripts", "all", 0)], again=True)
        task = claims.find_task(tx, issue)
        assert task is not None
        claims.begin(tx, task, claims.claim(tx, issue, agent), agent=agent, program="", slot="", branch="", base="")


def leaves(ledger: SqliteLedger, issue: str) -> None:
    with ledger.write() as tx:
        task = claims.find_task(tx, issue)
        assert task is not None
        claims.move(tx, task, "landed")
        claims.give_back(tx, task)


def send(ledger: SqliteLedger, *to: str, sender: str = "ann", subject: str = "mind this", **more) -> int:
    with ledger.write() as tx:
        return letters.send(tx, sender, Draft(to, subject, **more))


def read(ledger: SqliteLedger, name: str, issue: str = "", *, everything: bool = False) -> list[Letter]:
    with ledger.read() as snapshot:
        return letters.inbox(snapshot, Reader(name, issue), everything=everything)


def test_a_letter_does_not_follow_the_name_to_the_next_issue(ledger: SqliteLedger) -> None:
    send(ledger, "agent-1")
    leaves(ledger, "bd-1")
    at_work(ledger, "bd-2", "agent-1")
    assert read(ledger, "agent-1", "bd-2") == []
    assert [one.subject for one in read(ledger, "agent-1", "bd-1")] == ["mind this"]


def test_a_letter_to_an_issue_waits_for_whoever_takes_it(ledger: SqliteLedger) -> None:
    leaves(ledger, "bd-1")
    send(ledger, "bd-1")
    at_work(ledger, "bd-1", "agent-7")
    (letter,) = read(ledger, "agent-7", "bd-1")
    assert letter.thread == "bd-1"
    assert read(ledger, "ann") == []


def test_read_and_acknowledged(ledger: SqliteLedger) -> None:
    number = send(ledger, "agent-1", wants_ack=True)
    with ledger.write() as tx:
        reader = Reader("agent-1", "bd-1")
        letters.mark_read(tx, reader, letters.inbox(tx, reader))
    assert [one.id for one in read(ledger, "agent-1", "bd-1")] == [number], "still to be acknowledged"
    with ledger.write() as tx:
        letters.acknowledge(tx, Reader("agent-1", "bd-1"), number)
    assert read(ledger, "agent-1", "bd-1") == []
    assert read(ledger, "agent-1", "bd-1", everything=True)[0].acked_at
    with ledger.write() as tx, pytest.raises(Failure, match="bob has no letter"):
        letters.acknowledge(tx, Reader("bob"), number)


def test_what_is_urgent_is_told_once(ledger: SqliteLedger) -> None:
    send(ledger, "agent-1")
    number = send(ledger, "agent-1", importance="urgent")
    with ledger.write() as tx:
        assert [one.id for one in letters.tell(tx, Reader("agent-1", "bd-1"))] == [number]
        assert letters.tell(tx, Reader("agent-1", "bd-1")) == []
    assert len(read(ledger, "agent-1", "bd-1")) == 2, "told is not read"


def test_an_unknown_name_is_refused_with_the_nearest_one(ledger: SqliteLedger) -> None:
    with pytest.raises(Failure, match="did you mean agent-1"):
        send(ledger, "agent-l")
    with ledger.write() as tx:
        letters.register(tx, "agent-l", "a visitor")
    send(ledger, "agent-l", "people", "people", subject="both")
    assert [one.subject for one in read(ledger, "agent-l")] == ["both"]
    assert [one.subject for one in read(ledger, "carla")] == ["both"], "everybody who is no agent is of the people"


def test_a_thread_holds_both_sides_and_the_log_who_told_whom(ledger: SqliteLedger) -> None:
    send(ledger, "agent-1", thread="plan", subject="q")
    send(ledger, "ann", sender="agent-1", thread="plan", subject="a")
    with ledger.read() as snapshot:
        assert [(one.sender, one.subject) for one in letters.thread(snapshot, "plan")] == [
            ("ann", "q"),
            ("agent-1", "a"),
        ]
        assert [row["letters"] for row in snapshot.all("threads")] == [2]
        kinds = [row["kind"] for row in snapshot.all("events-since", seq=0)]
    assert kinds.count("mail.sent") == 2

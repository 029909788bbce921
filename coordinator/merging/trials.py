"""Trials as the ledger keeps them.

A trial's row stands before its gate begins and is ended by a write that expects it to run: a coordinator that was
killed leaves running rows, which the next one stops before it does anything else. A verdict is kept apart, under the
tree and the definition of the gate; the row says for whom the tree was made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.gate.checks import Verdict
from coordinator.merging.changes import Start
from resources.state.store import Row, Snapshot, Transaction
from resources.system.clock import wall


@dataclass(frozen=True)
class Run:
    """A trial's row. `tip` is the commit it was made on, `judged` the commit with its members merged on top."""

    id: int
    tip: str
    members: tuple[int, ...]
    about: int
    whole: bool
    judged: str
    tree: str
    gate: str
    state: str
    began_at: float = 0.0

    @classmethod
    def of(cls, row: Row) -> Run:
        """From a row of the ledger."""
        return cls(
            row["id"], row["tip"], tuple(json.loads(row["members"])), row["about"], bool(row["whole"]), row["judged"],
            row["tree"], row["gate"], row["state"], row["began_at"],
        )  # fmt: skip

    @property
    def passed(self) -> bool | None:
        """What the gate said, None while it runs."""
        return None if self.state == "running" else self.state == "green"


@dataclass(frozen=True)
class Made:
    """The merge that a trial is about, and the key of the gate that judges it."""

    tip: str
    commit: str
    tree: str
    gate: str


def begin(tx: Transaction, start: Start, made: Made, known: Verdict | None) -> int:
    """Record a trial; its state is what is `known` about its tree already, else running. Returns its number."""
    state = "running" if known is None else _word(known)
    row = tx.one(
        "trial-begin", tip=made.tip, members=json.dumps(start.members), about=start.about, whole=int(start.whole),
        judged=made.commit, tree=made.tree, gate=made.gate, state=state, began_at=wall(),
    )  # fmt: skip
    assert row is not None, "an insert that returns its row"
    return int(row["id"])


def conclude(tx: Transaction, run: Run, verdict: Verdict, beside: int) -> bool:
    """Record the gate's word on a running trial and on its tree; False when the trial had ended before."""
    ended = _end(tx, run.id, _word(verdict), verdict.why, beside)
    if ended:
        tx.change(
            "verdict-put", tree=run.tree, gate=run.gate, passed=int(verdict.passed), evidence=verdict.to_json(),
            judged_at=wall(),
        )  # fmt: skip
    return ended


def stop(tx: Transaction, number: int, why: str) -> bool:
    """A running trial tells nothing any more; False when it had ended before."""
    return _end(tx, number, "stopped", why, -1)


def void(tx: Transaction, number: int, why: str) -> None:
    """Forget what a trial told."""
    tx.change("trial-void", id=number, why=why)


def telling(snapshot: Snapshot, gates: Sequence[str], waiting: set[int]) -> list[Run]:
    """The trials of entries under these gates that run or tell something about those that wait, oldest first."""
    runs = [run for row in reversed(snapshot.all("trials-telling")) if (run := Run.of(row)).members]
    return [run for run in runs if run.gate in gates and (waiting & {*run.members} or run.state == "running")]


def stop_all(tx: Transaction, why: str) -> None:
    """Stop what a coordinator that is gone left running."""
    for row in tx.all("trials-running"):
        stop(tx, row["id"], why)


def _end(tx: Transaction, number: int, state: str, why: str, beside: int) -> bool:
    return tx.change("trial-end", id=number, state=state, why=why, beside=beside, ended_at=wall()) == 1


def _word(verdict: Verdict) -> str:
    return "green" if verdict.passed else "red"

"""Agents as processes that race for the verbs of `task`, and an oracle that replays what the ledger wrote down.

    python tests/support/task_races.py FOLDER AGENT OPERATIONS ISSUES SEED

An agent chooses verb and issue at random and prints what was acknowledged. Every acknowledged change must be in the log
once and nothing else; the log, replayed in its order, must never let two hold one issue or end what is not held; and
the last word of the replay must be what the ledger says. An update that is lost, doubled or overtaken breaks that.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from coordinator.tasks import progress
from resources.state.leases import live
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure

VERBS = ("start", "start", "start", "fail", "fail", "complete", "available", "progress")
ENDS = {"progress.completed": "completed", "progress.failed": "failed"}


def work(folder: Path, agent: str, operations: int, issues: int, seed: int) -> list[list[str]]:
    """Do so many operations; returns [event, issue] of each that changed something."""
    ledger, dice, done = SqliteLedger(folder), random.Random(f"{seed} {agent}"), []
    mine: list[str] = []
    for _ in range(operations):
        verb = dice.choice(VERBS)
        # Mostly what is one's own, now and then what is somebody else's: that must be refused.
        own = mine and verb in ("fail", "complete") and dice.random() < 0.8
        issue = dice.choice(mine) if own else f"r-{dice.randrange(issues)}"
        try:
            event = _one(ledger, verb, issue, agent, known=issue in mine)
        except Failure:
            continue
        if event:
            done.append([event, issue])
            mine = [*mine, issue] if event == "progress.started" else [one for one in mine if one != issue]
    ledger.close()
    return done


def _one(ledger: SqliteLedger, verb: str, issue: str, agent: str, *, known: bool) -> str:
    if verb in ("available", "progress"):
        with ledger.read() as snapshot:
            words, held = progress.all_progress(snapshot), {lease.resource for lease in live(snapshot, "issue")}
        assert all(words[one].state != progress.FAILED for one in held), "a snapshot shows half of a change"
        return ""
    with ledger.write() as tx:
        if verb == "start":
            progress.start(tx, issue, agent)
        elif verb == "complete":
            progress.complete(tx, issue, agent)
        else:
            progress.fail(tx, issue, agent, "no")
    # To start what one has started already is no change.
    return (
        ""
        if verb == "start" and known
        else {"start": "progress.started", "complete": "progress.completed"}.get(verb, "progress.failed")
    )


def race(folder: Path, *, operations: int, agents: int = 3, issues: int = 200, seed: int = 1) -> dict[str, int]:
    """Let them race; raises AssertionError when anything was lost. Returns how much was done."""
    SqliteLedger.create(folder).close()
    each = -(-operations // agents)
    command = [sys.executable, __file__, str(folder)]
    processes = [
        subprocess.Popen([*command, f"agent-{n}", str(each), str(issues), str(seed)], stdout=subprocess.PIPE, text=True)
        for n in range(1, agents + 1)
    ]
    acknowledged: Counter[tuple[str, str, str]] = Counter()
    for number, process in enumerate(processes, 1):
        out, _ = process.communicate()
        assert process.returncode == 0
        acknowledged.update((event, issue, f"agent-{number}") for event, issue in json.loads(out))
    ledger = SqliteLedger(folder)
    with ledger.read() as snapshot:
        rows = [row for row in snapshot.all("events-since", seq=0) if row["kind"].startswith("progress.")]
        words = {issue: (said.state, said.agent) for issue, said in progress.all_progress(snapshot).items()}
        held = {lease.resource for lease in live(snapshot, "issue")}
    ledger.close()
    assert acknowledged == Counter((row["kind"], row["issue"], row["agent"]) for row in rows), (
        "the log tells another tale"
    )
    last = _replay([(row["kind"], row["issue"], row["agent"]) for row in rows])
    assert words == last, "the last word is not the last that was said"
    assert held == {issue for issue, (state, _) in last.items() if state != "failed"}, "claims and words differ"
    return {"operations": each * agents, "processes": agents, "changes": len(rows), "lost": 0}


def _replay(told: list[tuple[str, str, str]]) -> dict[str, tuple[str, str]]:
    last: dict[str, tuple[str, str]] = {}
    for kind, issue, agent in told:
        state, holder = last.get(issue, ("failed", ""))
        if kind == "progress.started":
            # Whoever has completed it may take it up again: it is still his.
            assert state == "failed" or (state, holder) == ("completed", agent), (
                f"{agent} started {issue}, which {holder} has {state}"
            )
        else:
            assert (state, holder) == ("started", agent), f"{agent} ended {issue}, which {holder} has {state}"
        last[issue] = (ENDS.get(kind, "started"), agent)
    return last


if __name__ == "__main__":
    where, who, count, number, dice_seed = sys.argv[1:]
    print(json.dumps(work(Path(where), who, int(count), int(number), int(dice_seed))))

"""Replays a window of a real repository's history through the real commands, with agents that pick the true commits.

    python benchmarks/replay.py ntm --agents 4 [--foresight oracle] [--unit SECONDS] [--json] [--keep] [--limit ISSUES]
    python benchmarks/replay.py ntm --agents 1 4 8 --played [--foresight predicted none oracle]

The corpus (`corpus`) becomes a repository with a tracker (`building`); `init`, `run`, `cleanup` and `detect-leaks` run
as a user would type them; each agent cherry-picks its issue's true commits onto whatever base it was given, and fails
where they conflict. Afterwards git and the ledger's own answers tell what happened: `broken_mains` counts the commits
on main that are no whole landing (`wholeness`), `conflicts` the attempts that met one, while picking or at landing.
Beside it stand yardsticks from the same commits without any coordination (`yardsticks`).

*Foreseen* are the pairs of issues that the plan keeps apart before any work begins. The foresight is the product's
(*predicted*), *none* (`conflict_at` and `priced_at` 1, which no guess reaches), or an *oracle*'s (each issue's metadata
declares its true files). With `--unit` the gate sleeps that many seconds and an agent four times as many before it
picks, and `gates` is the wall clock in these units: it holds all that the machine adds, so a unit under a second tells
more of the machine than of the product. `--played` takes a virtual clock instead (`replay_played`) and prints one line
for each number of agents and each foresight.

Exit code: 0 when every issue landed or is handed off with a reason, main is whole and nothing leaked, else 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.building import ATTEMPTS, FORESIGHT, Built, Setting, build
from benchmarks.commands import ask, command
from benchmarks.corpus import Corpus, find_corpus, read_corpus
from benchmarks.replay_played import played, sequential_gates
from benchmarks.wholeness import broken_landings
from benchmarks.yardsticks import measure
from resources.system.errors import Failure


def main(argv: Sequence[str]) -> int:
    """Replay one corpus and print what came of it; returns the exit code."""
    options = _options(argv)
    corpus = read_corpus(find_corpus(options.corpus), options.limit)
    home = Path(tempfile.mkdtemp(prefix="agent-coord-replay-")).resolve()
    try:
        if options.played:
            return _play(corpus, home, options)
        setting = Setting(options.agents[0], options.unit, options.foresight[0])
        result = replay(corpus, build(corpus, home, setting), setting)
    finally:
        if options.keep:
            sys.stderr.write(f"kept: {home}\n")
        else:
            shutil.rmtree(home)
    sys.stdout.write((json.dumps(result, ensure_ascii=False) if options.json else summary(result)) + "\n")
    return 0 if is_good(result) else 1


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Replay a corpus of real history through the real commands.")
    parser.add_argument("corpus", help="a file, or the name of one in the data folder (AGENT_COORD_DATA): ntm")
    parser.add_argument("--agents", type=int, nargs="+", default=[4], help="agents at once; several with --played")
    parser.add_argument(
        "--foresight", nargs="+", choices=FORESIGHT, default=["predicted"], help="what the planner knows"
    )
    parser.add_argument("--unit", type=float, default=0.0, metavar="SECONDS", help="a gate's duration (0: no waiting)")
    parser.add_argument("--played", action="store_true", help="against a virtual clock, no processes")
    parser.add_argument("--limit", type=int, default=0, metavar="ISSUES", help="only the first issues of the corpus")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--keep", action="store_true", help="keep the repository to look around in")
    options = parser.parse_args(argv)
    if not options.played and len(options.agents) + len(options.foresight) > 2:
        parser.error("several numbers of agents or kinds of foresight need --played")
    return options


def _play(corpus: Corpus, home: Path, options: argparse.Namespace) -> int:
    built = build(corpus, home, Setting(max(options.agents)))
    yardsticks = measure(built, corpus.issues)
    whole = sequential_gates(len(corpus.issues), yardsticks.sequential)
    for agents in options.agents:
        for foresight in options.foresight:
            got = played(corpus, built, agents, ATTEMPTS, foresight)
            share = {"of_sequential": round(got["gates"] / whole, 3)}
            landed = {"sequential": yardsticks.sequential, "naive": yardsticks.naive, "patient": yardsticks.patient}
            line = {"schema": 1, "corpus": corpus.name, "issues": len(corpus.issues), **landed, **got, **share}
            if not options.json:
                line["handed_off"] = len(got["handed_off"])
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    return 0


@dataclass(frozen=True)
class Ran:
    """What a run told: conflicts foreseen before it, its seconds, what was left, attempts, queue and last plan."""

    foreseen: int
    wall: float
    left: list[dict[str, str]]
    attempts: list[dict[str, Any]]
    past: list[dict[str, Any]]
    plan: dict[str, Any]


def _run(built: Built, agents: int) -> Ran:
    try:
        ask(built.root, "agent-coord", "init", "--slots", str(agents))
        foreseen = len(ask(built.root, "track-analyzer", "recommend")["conflicts"])
        began = time.monotonic()
        left = ask(built.root, "agent-coord", "run", "--max-agents", str(agents))["left"]
        wall = time.monotonic() - began
        attempts = ask(built.root, "agent-coord", "report")["attempts"]
        past = ask(built.root, "agent-coord", "merge", "status")["past"]
        return Ran(foreseen, wall, left, attempts, past, ask(built.root, "track-analyzer", "recommend"))
    finally:
        command(built.root, "agent-coord", "cleanup", "--yes")


def replay(corpus: Corpus, built: Built, setting: Setting) -> dict[str, Any]:
    """Let the agents work through the corpus; returns what `--json` prints."""
    _say(f"{corpus.name}: {len(corpus.issues)} issues, {setting.agents} agents in {built.root}")
    ran = _run(built, setting.agents)
    leaks = ask(built.root, "resource-monitor", "detect-leaks", may_fail=True)
    _say("measuring the yardsticks")
    order = [issue["id"] for issue in corpus.issues]
    landings = {one["merged"]: one["issue"] for one in ran.past if one["state"] == "landed" and one["merged"]}
    landed, attempts = set(landings.values()), ran.attempts
    broken = broken_landings(built.root, built.base, landings, corpus.changes)
    for sentence in broken:
        _say(f"broken: {sentence}")
    yardsticks = measure(built, corpus.issues)
    return {
        "schema": 1,
        "corpus": corpus.name,
        "agents": setting.agents,
        "foresight": setting.foresight,
        "issues": len(order),
        "landed": len(landed),
        "handed_off": _handed_off(corpus, landed, ran.left, ran.plan),
        "attempts": len(attempts),
        "attempts_per_landed": round(len(attempts) / len(landed), 2) if landed else None,
        "conflicts": sum(met_conflict(attempt) for attempt in attempts),
        "conflicts_at_landing": sum(attempt["outcome"] == "bounced" for attempt in attempts),
        "conflicts_foreseen": ran.foreseen,
        "broken_mains": len(broken),
        "leaks": len(leaks["leaks"]) + (not leaks["complete"]),
        "wall_s": round(ran.wall, 1),
        "gates": round(ran.wall / setting.unit, 1) if setting.unit else None,
        "sequential": {
            "landed": yardsticks.sequential,
            "gates": sequential_gates(len(order), yardsticks.sequential),
        },
        "naive": {"landed": yardsticks.naive},
        "patient": {"landed": yardsticks.patient},
    }


def met_conflict(attempt: Mapping[str, Any]) -> bool:
    """Whether an attempt of `report --json` met a conflict: at landing, or while its agent picked.

    The last attempt at what was handed off because nothing can change any more bears the reason for that.
    """
    told = ("conflict in ", "nothing under way will change that")
    return attempt["outcome"] == "bounced" or any(words in attempt["why"] for words in told)


def _handed_off(
    corpus: Corpus, landed: set[str], left: Sequence[Mapping[str, str]], plan: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Every issue that did not land, with the reason: of its task, else of the plan that gave it to nobody."""
    told = {one["id"]: one["why"] for one in plan["blocked"]}
    told |= {one["issue"]: one["why"] for one in left}
    epics = {issue["id"] for issue in corpus.issues if issue["issue_type"] == "epic"}
    told |= dict.fromkeys(epics, "an epic is never given to an agent")
    missing = [issue["id"] for issue in corpus.issues if issue["id"] not in landed]
    return [{"id": issue, "why": told.get(issue, "")} for issue in missing]


def is_good(result: Mapping[str, Any]) -> bool:
    """Whether the run kept its promises; how many issues landed is not one of them."""
    explained = all(one["why"] for one in result["handed_off"])
    accounted = result["landed"] + len(result["handed_off"]) == result["issues"]
    return explained and accounted and not result["broken_mains"] and not result["leaks"]


def summary(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [
        f"{result['corpus']}, {result['agents']} agents, {result['wall_s']} s",
        f"  landed      {result['landed']} of {result['issues']}",
        f"  sequential  {result['sequential']['landed']}   (one at a time, in the true order)",
        f"  naive       {result['naive']['landed']}   (all at once, merged in order)",
        f"  patient     {result['patient']['landed']}   (as sequential, keeping to the tracker's dependencies)",
        f"  attempts    {result['attempts']}, {result['conflicts']} of them met a conflict,"
        f" {result['conflicts_at_landing']} at landing",
        f"  foreseen    {result['conflicts_foreseen']} conflicts",
        f"  broken      {result['broken_mains']} commits on main",
        f"  leaks       {result['leaks']}",
        f"  not landed  {len(result['handed_off'])}",
    ]
    return "\n".join(lines + [f"    {one['id']}: {one['why']}" for one in result["handed_off"]])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        sys.exit(failure.render())

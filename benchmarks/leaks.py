"""Does everything that leaks come back, and nothing else go? Leaks made for real beside look-alikes, round by round.

    python benchmarks/leaks.py [--rounds 200] [--seed 1] [--each N] [--isolation database|server] [--json]

One repository with a pool of slots, each with a database on a real Postgres server, or with a server of its own. Each
round makes some kinds of leaks (`leak_kinds.py`, `leak_databases.py` or `leak_servers.py`) and some things that only
look like them (`lookalikes.py`); the first pass over the leaks must
list exactly what was made and touch nothing, the second, ten minutes later by the stamps in the ledger, must take all
of it back without losing work, a third must find nothing; the look-alikes must be what they were. At the end the
slots go, and the spare databases that served them must follow. Exit code 1 when one of it is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import leak_databases, leak_kinds, leak_servers, lookalikes
from benchmarks.leak_world import SLOTS, Key, Made, World, open_world
from resources.leaks.sweep import Report, sweep


def main(arguments: Sequence[str]) -> int:
    """Run the rounds and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make leaks and look-alikes; see that only the leaks go.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=5, help="kinds of leaks, and of look-alikes, in a round")
    parser.add_argument("--isolation", choices=("database", "server"), default="database")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="leaks-", ignore_cleanup_errors=True) as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state home")  # the list of ports is a host's, not a run's
        value = run(Path(folder).resolve(), options.rounds, options.seed, options.each, options.isolation)
    print(json.dumps(value) if options.json else "\n".join(f"{name:14}  {one}" for name, one in value.items()))
    return 0 if value["ok"] else 1


def run(folder: Path, rounds: int, seed: int, each: int, isolation: str = "database") -> dict[str, object]:
    """All rounds in a world in `folder`; the figures."""
    made: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    failures: list[str] = []
    seconds: list[float] = []
    with open_world(folder, seed, isolation) as world:
        for number in range(1, rounds + 1):
            failures += [f"round {number}: {one}" for one in _round(world, each, made, touched, seconds)]
            if len(failures) > 20:
                break
        failures += list(_spares(world, made))
    found = made.pop("missed", 0)
    return {
        "schema": 1, "seed": seed, "isolation": isolation, "rounds": rounds,
        "leaks": made.total(), "by_kind": dict(sorted(made.items())),
        "missed": found, "lookalikes": touched.total(), "by_lookalike": dict(sorted(touched.items())),
        "pass_median_s": round(statistics.median(seconds), 3), "failures": failures, "ok": not failures,
    }  # fmt: skip


def _round(world: World, each: int, made: Counter[str], alike: Counter[str], seconds: list[float]) -> Iterator[str]:
    world.used.clear()
    if len(world.pool.slots()) < SLOTS:
        world.pool.grow(SLOTS - len(world.pool.slots()))
    damage = _damage(world, each)
    alikes = lookalikes.ALIKES | (leak_servers.ALIKES if world.isolation == "server" else lookalikes.ON_A_SERVER)
    others = {name: alikes[name](world) for name in world.random.sample(list(alikes), min(each, len(alikes)))}
    before = {name: other.state() for name, other in others.items()}
    alike.update(others.keys())
    keys = {key for one in damage.values() for key in one.keys}
    made.update(key[0] for key in keys)
    began = time.perf_counter()
    first = sweep(world.watched, act=True)
    seconds.append(time.perf_counter() - began)
    yield from _listed(first, keys, made)
    _age(world)
    second = sweep(world.watched, act=True)
    yield from (f"{leak.key} was {done.result}: {done.note}" for leak, done in second.done if _wrong(leak.key, done))
    yield from (f"{name} is not gone" for name, one in damage.items() if not one.gone())
    yield from (f"{leak.key} is left ({leak.why})" for leak in sweep(world.watched).leaks)
    yield from (f"{name} was touched" for name, other in others.items() if other.state() != before[name])
    for other in others.values():
        other.remove()


def _damage(world: World, each: int) -> dict[str, Made]:
    kinds = leak_kinds.KINDS | (leak_servers if world.isolation == "server" else leak_databases).KINDS
    chosen = set(world.random.sample(list(kinds), min(each, len(kinds))))
    made: dict[str, Made] = {}
    for name in (name for name in kinds if name in chosen):
        if name not in leak_kinds.NEED_SLOT or world.has_slot():
            made[name] = kinds[name](world)
    return made


def _listed(report: Report, keys: Iterable[Key], made: Counter[str]) -> Iterator[str]:
    if not report.complete:
        yield f"the inventory was incomplete: {report.why}"
    if report.done:
        yield f"the first pass took back {[leak.key for leak, _ in report.done]}"
    listed = {leak.key for leak in report.leaks}
    for key in set(keys) - listed:
        made["missed"] += 1
        yield f"{key} was not found"
    yield from (f"{leak.key} is listed ({leak.why})" for leak in report.leaks if leak.key not in set(keys))


def _wrong(key: Key, done: object) -> bool:
    # A zombie is its parent's to clear: it is reported, and goes when the parent, an orphan of ours, is ended.
    result = getattr(done, "result", "")
    return result != "reclaimed" and (key[0], result) != ("zombie", "reported")


def _age(world: World) -> None:
    """Ten minutes pass, as far as the stamps of the condemned tell."""
    with world.watched.ledger.write() as tx:
        for row in tx.all("condemned-all"):
            tx.change("pardon", kind=row["kind"], name=row["name"])
            tx.change("condemn", kind=row["kind"], name=row["name"], since_at=row["since_at"] - 601)


def _spares(world: World, made: Counter[str]) -> Iterator[str]:
    world.pool.remove_all()
    spares = {leak.key for leak in sweep(world.watched).leaks}
    made.update(kind for kind, _ in spares)
    if {kind for kind, _ in spares} - {"spare"}:
        yield f"after the slots went there are {sorted(spares)}"
    _age(world)
    sweep(world.watched, act=True)
    yield from (f"{leak.key} is left at the end" for leak in sweep(world.watched).leaks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

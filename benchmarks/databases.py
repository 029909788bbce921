"""What a slot waits for its database: from a spare, by swap, by clone, and by running the migrations.

    python benchmarks/databases.py [--rounds N] [--binaries system]

A project with 60 tables, 235 indexes, foreign keys, triggers and 20,000 seed rows in 62 migrations, on a server of
our own. Every round does all of it once, so the ratios hold under whatever load there was. Prints one JSON object:
medians in milliseconds, and how many times faster a spare is than the migrations of the same run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from resources.databases.databases import Databases, DatabaseSettings, open_databases

MIGRATE = (
    sys.executable,
    "-c",
    "import os, pathlib, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL'], autocommit=True) as c:\n"
    "    for f in sorted(pathlib.Path('migrations').glob('*.sql')): c.execute(f.read_text())\n",
)
TABLES, ROWS = 60, 334


def write_project(folder: Path) -> Path:
    """A git worktree with the migrations."""
    (folder / "migrations").mkdir(parents=True)
    for number, text in enumerate(_migrations()):
        (folder / "migrations" / f"{number:03}.sql").write_text(text)
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=b", "-c", "user.email=b@x", "commit", "-qm", "b"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def _migrations() -> list[str]:
    touch = "create function touch() returns trigger language plpgsql as $$ begin new.b = now(); return new; end $$;\n"
    return [touch, *(_table(number) for number in range(TABLES)), "create view v as select id, a from t0;\nanalyze;\n"]


def _table(number: int) -> str:
    parent = f"references t{number - 1}" if number else ""
    lines = [
        f"create table t{number} (id bigserial primary key, a text, b timestamptz default now(), c int, "
        f"d jsonb default '{{}}', up bigint {parent});",
        *(f"create index on t{number} ({columns});" for columns in ("a", "b", "c, a")),
    ]
    if number % 5 == 0:
        lines.append(f"create trigger touched before update on t{number} for each row execute function touch();")
    seed = f"select 'row ' || n, n from generate_series(1, {ROWS}) n"
    return "\n".join([*lines, f"insert into t{number} (a, c) {seed};"]) + "\n"


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that `act` takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def one_round(databases: Databases, tree: Path, number: int) -> dict[str, float]:
    """Every way once."""
    took = {"migrate": timed(lambda: databases.template(tree, rebuild=True))}
    databases.prepare(f"keeper-{number}", tree)
    databases.tend()
    took["acquire_from_spare"] = timed(lambda: databases.prepare(f"spare-{number}", tree))
    took["reset_by_swap"] = timed(lambda: databases.reset(f"spare-{number}", tree))
    took["acquire_by_clone"] = timed(lambda: databases.prepare(f"clone-{number}", tree))
    took["tend"] = timed(databases.tend)
    for kind in ("keeper", "spare", "clone"):
        databases.drop(f"{kind}-{number}")
    return took


def measure(rounds: int, binaries: str) -> dict[str, object]:
    """The medians of `rounds` rounds."""
    folder = Path(tempfile.mkdtemp(prefix="databases-"))
    settings = DatabaseSettings(
        provider="local", binaries=binaries, migrate=MIGRATE, migrations=("migrations/*.sql",), spares=2
    )
    tree = write_project(folder / "tree")
    with open_databases(settings, home=folder / "home", project="bench", owner="bench") as databases:
        try:
            databases.prepare("first", tree)
            found = [one_round(databases, tree, number) for number in range(rounds)]
            version = databases.server().version
        finally:
            databases.stop()
            shutil.rmtree(folder)
    medians = {key: round(statistics.median(each[key] for each in found), 1) for key in found[0]}
    fastest = {key: round(min(each[key] for each in found), 1) for key in found[0]}
    times = statistics.median(each["migrate"] / each["acquire_from_spare"] for each in found)
    facts = {"postgres": version, "rounds": rounds, "milliseconds": medians, "fastest": fastest}
    return {**facts, "spare_against_migrations": round(times, 1)}


def main() -> int:
    """Print the figures; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--binaries", default="auto")
    asked = parser.parse_args()
    found = measure(asked.rounds, asked.binaries)
    print(json.dumps(found, indent=1))
    took = found["milliseconds"]
    assert isinstance(took, dict)
    within = took["acquire_from_spare"] <= 50 and took["reset_by_swap"] <= 50
    return 0 if within and float(str(found["spare_against_migrations"])) >= 20 else 1


if __name__ == "__main__":
    raise SystemExit(main())

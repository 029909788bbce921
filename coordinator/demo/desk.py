"""Puts the sample project on disk: its files, its git history, its configuration.

The files travel in the package under names without a leading dot (`beads/`, `gitignore`); here they get
their own names back. They arrive in a few commits, as they would have: one great first commit would tell the
planner that everything belongs together. The identity is pinned in the new repository, so that the demo
works for a user who has never told git a name.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from resources.settings import CONFIG
from resources.system.process import clean_environment, run

HERE = Path(__file__).parent
FILES = HERE / "sample"
SCRIPTS = HERE / "scripts"
TRACKER = Path(".beads/issues.jsonl")
ROUTES = "app/routes.py"
_DOTTED = ("beads", "gitignore")


@dataclass(frozen=True)
class Step:
    """One commit of the sample's past: which files it brought, and the part of the table of routes that is new."""

    at: str
    message: str
    files: tuple[str, ...]
    topic: str = ""


HISTORY = (
    Step(
        "2026-01-09T15:00:00Z",
        "A desk that answers",
        (
            "gitignore",
            "README.md",
            "app/__init__.py",
            "app/db.py",
            "app/web.py",
            "app/server.py",
            "app/desk.py",
            ROUTES,
        ),
        "the desk",
    ),
    Step("2026-01-12T08:30:00Z", "Migrations, and the backlog", ("app/migrate.py", "beads/issues.jsonl")),
    Step("2026-01-12T17:00:00Z", "A place for tests", ("tests/__init__.py", "tests/support.py", "tests/test_web.py")),
    Step(
        "2026-01-13T16:00:00Z",
        "desk-t1k: take tools in and list them",
        ("migrations/001_tools.sql", "app/tools.py", "tests/test_tools.py"),
        "tools",
    ),
    Step(
        "2026-01-15T11:00:00Z",
        "desk-j7e: people join",
        ("migrations/002_members.sql", "app/members.py", "tests/test_members.py"),
        "members",
    ),
    Step(
        "2026-01-20T17:00:00Z",
        "desk-n2v: lend a tool and take it back",
        ("migrations/003_loans.sql", "app/loans.py", "tests/test_loans.py"),
        "loans",
    ),
)
"""The order in which the sample came about. The planner learns from it which files go together and which are hot."""


def make_sample(folder: Path) -> None:
    """Make the sample repository in the new folder `folder`, with its history, on main. Raises Failure without git."""
    folder.mkdir(parents=True)
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Ines of the lending desk"),
        ("config", "user.email", "ines@desk.example"),
        ("config", "commit.gpgSign", "false"),
    ):
        run(["git", *arguments], cwd=folder)
    for number, step in enumerate(HISTORY, 1):
        _place(folder, number)
        at = clean_environment({"GIT_AUTHOR_DATE": step.at, "GIT_COMMITTER_DATE": step.at})
        run(["git", "add", "--all"], cwd=folder)
        run(["git", "commit", "--quiet", "-m", step.message], cwd=folder, env=at)


def _place(folder: Path, steps: int) -> None:
    """Put every file of the first `steps` steps of the history on disk."""
    topics = [step.topic for step in HISTORY[:steps]]
    for name in [name for step in HISTORY[:steps] for name in step.files]:
        target = folder / (f".{name}" if name.startswith(_DOTTED) else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (FILES / name).read_text()
        target.write_text(_with_topics(text, topics) if name == ROUTES else text)


def _with_topics(routes: str, topics: list[str]) -> str:
    """The table of routes with the parts on `topics` alone; a comment begins each part."""
    head, *parts = routes.split("    # ")
    *parts, last = [part for part in (*parts[:-1], parts[-1].removesuffix(")\n")) if part.partition("\n")[0] in topics]
    return "    # ".join([head, *parts, last]) + ")\n"


def write_config(folder: Path, agents: int) -> None:
    """Tell the repository in `folder` how its databases are migrated, what its gate runs and who its agents are."""
    file = folder / CONFIG
    file.parent.mkdir(exist_ok=True)
    file.write_text(configuration(agents))


def configuration(agents: int) -> str:
    """The sample's config.toml for so many agents at once. JSON strings and lists are TOML too."""
    python = sys.executable
    checks = [
        ("compiles", [python, "-m", "compileall", "-q", "app", "tests"]),
        ("tests", [python, "-m", "unittest", "discover", "-q"]),
    ]
    lines = [
        "# The sample of `agent-coord demo`: every key that is left out has its default.",
        "[pool]",
        f"size = {agents}",
        f"minimum = {min(agents, 3)}",
        f"maximum = {max(agents, 10)}",
        "",
        "[plan]",
        "# Nearly every feature adds its address there, each in a place of its own.",
        'hot_files = ["app/routes.py"]',
        "hot_share = 0.5",
        "# Two issues that may meet only by chance need not wait for each other: git merges what it can.",
        "conflict_at = 0.6",
        "",
        "[database]",
        f"migrate = {json.dumps([python, '-m', 'app.migrate'])}",
        'migrations = ["migrations/*.sql"]',
        "",
        "[agents]",
        'default = "demo"',
        "",
        "[agents.programs.demo]",
        'kind = "scripted"',
        f"scripts = {json.dumps(str(SCRIPTS))}",
    ]
    for name, command in checks:
        lines += ["", "[[gate.checks]]", f"name = {json.dumps(name)}", f"run = {json.dumps(command)}", "timeout = 60"]
    return "\n".join(lines) + "\n"


def backlog(folder: Path | None = None) -> list[dict[str, object]]:
    """The issues of the sample in `folder`, as they stand in its tracker; of the package, as the demo begins."""
    file = folder / TRACKER if folder else FILES / "beads/issues.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines() if line]


def to_do() -> list[dict[str, object]]:
    """The issues that are open when the demo begins, the epic among them."""
    return [issue for issue in backlog() if issue["status"] == "open"]

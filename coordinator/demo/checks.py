"""What the demo promises, looked up where it must show: in git, in the tracker, in a fresh checkout of main."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.bootstrap import open_project
from coordinator.demo.desk import backlog, to_do
from coordinator.running.handoff_file import handoff_file
from resources.system.git import commit_messages
from resources.system.process import run


@dataclass(frozen=True)
class Check:
    """One promise and whether it holds; `why` tells what is wrong, or nothing."""

    what: str
    holds: bool
    why: str = ""


def sample_checks(repository: Path, environment: Mapping[str, str]) -> list[Check]:
    """Every issue closed and landed, and main green. Needs the pool's databases: ask before they are given back."""
    issues = to_do()
    work = [str(issue["id"]) for issue in issues if issue["issue_type"] != "epic"]
    still_open = [str(issue["id"]) for issue in backlog(repository) if issue["status"] != "closed"]
    messages = [message for _, message in commit_messages(repository, ["main"])]
    missing = [issue for issue in work if not any(names(message, issue) for message in messages)]
    told = _tried(repository, missing)
    return [
        Check(f"all {len(issues)} issues are closed in the tracker", not still_open, ", ".join(still_open)),
        Check(f"the work of all {len(work)} is on main, named in its commits", not missing, told),
        _suite_check(repository, environment),
    ]


def names(message: str, issue: str) -> bool:
    """Whether a commit message names the issue itself, and not one whose id begins like it."""
    return re.search(rf"(?<![\w.-]){re.escape(issue)}(?![\w-]|\.\w)", message) is not None


def leaks_check(answer: Mapping[str, Any]) -> Check:
    """Nothing that bears our mark is left, by the answer of `resource-monitor detect-leaks --json`."""
    leaks = answer.get("leaks", [])
    told = ", ".join(f"{leak.get('kind')} {leak.get('name')}" for leak in leaks)
    complete = answer.get("complete") is True
    return Check(
        "nothing is left behind: 0 leaks", complete and not leaks, told if complete else "the search is not complete"
    )


def _tried(repository: Path, issues: Sequence[str]) -> str:
    """The issues, and what their attempts left for whoever wants to know why."""
    project = open_project(repository)
    files = [handoff_file(project, issue) for issue in issues]
    project.close()
    return "\n".join([", ".join(issues), *(file.read_text() for file in files if file.exists())])


def _suite_check(repository: Path, environment: Mapping[str, str]) -> Check:
    tree = repository.parent / "fresh checkout"
    run(["git", "clone", "--quiet", "--branch", "main", str(repository), str(tree)], env=environment)
    project = open_project(repository)
    databases = project.more_databases()
    project.close()
    if databases is None:
        return Check("main is green in a fresh checkout", False, "there is no database")
    with databases:
        try:
            fresh = {**environment, **databases.reset("fresh-checkout", tree).environment}
            done = run([sys.executable, "-m", "unittest", "discover", "-q"], cwd=tree, env=fresh, check=False)
        finally:
            databases.drop("fresh-checkout")
    count = re.search(rb"Ran (\d+) tests", done.err)
    what = f"main is green in a fresh checkout with a fresh database ({count[1].decode() if count else 'no'} tests)"
    return Check(what, done.code == 0 and count is not None, done.complaint if done.code else "")

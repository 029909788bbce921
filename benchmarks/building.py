"""Builds the repository of a corpus: the base and its tracker on `main`, the true commits beside it, agents' scripts.

The true history is reachable from `refs/replay/truth` alone, which no planner reads: its commits are what the agents
pick, in order, onto whatever base they are given. All of it goes through one `git fast-import`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus, base_files, history
from resources.system.clock import iso
from resources.system.process import run

TRUTH = "refs/replay/truth"
TRACKER = ".beads/issues.jsonl"
CONFIG = ".agent-worktrees/config.toml"
ATTEMPTS = 6
"""Many issues replace lines that another one brings without depending on it: they are tried again on later bases."""

WORK = 4.0
"""Gate durations that an attempt takes."""
FORESIGHT = ("predicted", "none", "oracle")


@dataclass(frozen=True)
class Setting:
    """How many agents, how long a gate lasts in seconds (0: no waiting at all), and one of `FORESIGHT`."""

    agents: int
    unit: float = 0.0
    foresight: str = "predicted"


@dataclass(frozen=True)
class Built:
    """A repository ready for the agents. `commits` maps each issue to its true commits, in order."""

    root: Path
    base: str
    commits: Mapping[str, tuple[str, ...]]


def build(corpus: Corpus, home: Path, setting: Setting) -> Built:
    """Make the repository below `home`, configured for the setting; `home` must be empty."""
    root, scripts, marks = home / "repository", home / "scripts", home / "marks"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "Replay"), ("user.email", "replay@localhost"), ("gc.auto", "0")):
        git(root, "config", key, value)
    git(
        root,
        "fast-import",
        "--quiet",
        f"--export-marks={marks}",
        stdin=b"".join(_stream(corpus, setting.foresight == "oracle")),
    )
    git(root, "reset", "--quiet", "--hard", "main")
    shas = [line.partition(" ")[2] for line in sorted(marks.read_text().splitlines(), key=_mark)]
    commits: dict[str, tuple[str, ...]] = {}
    for step, sha in zip(corpus.steps, shas[1:], strict=True):
        commits[step.issue] = (*commits.get(step.issue, ()), sha)
    scripts.mkdir()
    for issue in corpus.issues:
        wait = f"[[attempt.step]]\nsleep = {WORK * setting.unit}\n" if setting.unit else ""
        steps = f"[[attempt]]\n{wait}[[attempt.step]]\ncherry_pick = {json.dumps(commits[issue['id']])}\n"
        (scripts / f"{issue['id']}.toml").write_text(steps)
    (root / CONFIG).parent.mkdir()
    (root / CONFIG).write_text(_config(scripts, setting))
    return Built(root, shas[0], commits)


def git(root: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Standard output of a git command without the last newline."""
    return run(["git", *arguments], cwd=root, stdin=stdin, timeout=600).text.rstrip("\n")


def _mark(line: str) -> int:
    return int(line.partition(" ")[0].removeprefix(":"))


def _stream(corpus: Corpus, declared: bool) -> Iterator[bytes]:
    began = min((step.at for step in corpus.steps), default=1)
    truth = corpus.truth if declared else {}
    records = (record(issue, truth.get(issue["id"], ())) for issue in corpus.issues)
    tracker = [json.dumps(one, ensure_ascii=False) for one in records]
    yield _commit("refs/heads/main", 1, began - 1, "Where the window begins")
    for path, lines in {**base_files(corpus), TRACKER: tracker}.items():
        yield _file(path, lines)
    for mark, (step, contents) in enumerate(history(corpus), 2):
        yield _commit(TRUTH, mark, step.at, f"{step.issue}: {step.sha[:7]}", parent=mark - 1)
        for path, lines in contents.items():
            yield f"D {path}\n".encode() if lines is None else _file(path, lines)


def _commit(ref: str, mark: int, at: int, message: str, parent: int = 0) -> bytes:
    text = message.encode()
    head = f"commit {ref}\nmark :{mark}\ncommitter Replay <replay@localhost> {at} +0000\ndata {len(text)}\n".encode()
    return head + text + b"\n" + (f"from :{parent}\n".encode() if parent else b"")


def _file(path: str, lines: Iterable[str]) -> bytes:
    text = "".join(f"{line}\n" for line in lines).encode()
    return f"M 100644 inline {path}\ndata {len(text)}\n".encode() + text + b"\n"


def record(issue: Mapping[str, Any], declared: Collection[str] = ()) -> dict[str, Any]:
    """The issue as a tracker would hold it before any work: nothing that tells what the work will touch.

    `declared` files are named in its metadata. An epic that has commits of its own was worked on like a task:
    it becomes one, because containers are given to nobody.
    """
    kept = ("id", "title", "description", "design", "acceptance_criteria", "labels", "issue_type", "priority")
    edges = [{"issue_id": issue["id"], "depends_on_id": target, "type": kind} for target, kind in issue["deps"]]
    created = iso(issue["created_ts"])
    more = {"status": "open", "created_at": created, "dependencies": edges}
    if issue["issue_type"] == "epic":
        more["issue_type"] = "task"
    if declared:
        more["metadata"] = {"files": list(declared)}
    return {name: issue[name] for name in kept} | more


def _config(scripts: Path, setting: Setting) -> str:
    agents = setting.agents
    check = json.dumps(["git", "diff", "--check", "HEAD^1", "HEAD"])
    blind = "[plan]\nconflict_at = 1.0\npriced_at = 1.0\n\n" if setting.foresight == "none" else ""
    slow = f'\n[[gate.checks]]\nname = "time"\nrun = ["sleep", "{setting.unit}"]\n' if setting.unit else ""
    return f"""\
{blind}[pool]
size = {agents}
minimum = {min(agents, 3)}
maximum = {max(agents, 10)}
view = "full"

[database]
provider = "none"

[agents]
default = "replay"
attempts = {ATTEMPTS}

[agents.programs.replay]
kind = "scripted"
scripts = {json.dumps(str(scripts))}

[gate]
weakened = "off"

[[gate.checks]]
name = "no conflict markers"
run = {check}
{slow}"""

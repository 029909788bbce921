"""The real `bd` for tests: built by the Go toolchain into a cache, and a tracker with one of everything made with it.

`program` gives a `bd` of a line of versions, or skips the test with the reason: no Go toolchain, no module proxy, a
version that the proxy or its checksum database does not have, a build that takes too long (what it compiled stays in
Go's own cache, so that the next try goes on from there). Checksums are always verified.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from resources.system.files import file_lock
from resources.system.process import clean_environment, run
from tests.support.repos import git_out, make_repository

MODULE = "github.com/steveyegge/beads"
LINES = {"0.47": ("v0.47.2", "v0.47.1"), "0.49": ("v0.49.6",), "1.0": ("v1.0.5",)}
"""Line -> its versions, the best first. 0.47 keeps SQLite and JSONL, 0.49 too, 1.0 Dolt."""
ON_PATH = "on PATH"
LOOKUP, BUILD = 120.0, 900.0
"""Seconds for asking the proxy and for one build."""


@cache
def program(line: str) -> Path:
    """A `bd` of the line (or the one on PATH); skips the test, with the reason, where there is none to be had."""
    if line == ON_PATH:
        found = shutil.which("bd")
        return Path(found) if found else pytest.skip("no bd on PATH")
    reasons: list[str] = []
    for version in LINES[line]:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agent-coord/bd" / version
        if not (home / "bd").exists():
            home.mkdir(parents=True, exist_ok=True)
            with file_lock(home / "lock", what="the build of bd", wait=BUILD):
                reasons.append(f"{version}: {_build(version, home) or ''}")
        if (home / "bd").exists():
            return home / "bd"
    return pytest.skip("; ".join(reasons))


def _build(version: str, home: Path) -> str | None:
    """Build `bd` into `home`; returns why not."""
    if (home / "bd").exists():
        return None
    if not shutil.which("go"):
        return "no Go toolchain on PATH"
    tags = {"CGO_ENABLED": "1", "GOFLAGS": "-tags=gms_pure_go"} if version.startswith("v1.") else {"GOFLAGS": ""}
    work = home / "build"
    work.mkdir(exist_ok=True)
    (work / "go.mod").write_text(f"module build\n\ngo 1.24\n\nrequire {MODULE} {version}\n")
    # Not `go install`: it asks for the list of all versions too, which a mirror need not have.
    for words, limit in (
        (["go", "mod", "download", f"{MODULE}@{version}"], LOOKUP),
        (["go", "build", "-mod=mod", "-o", str(home / "new"), f"{MODULE}/cmd/bd"], BUILD),
    ):
        done = run(words, cwd=work, env=clean_environment(tags), timeout=limit, check=False)
        if done.timed_out:
            return f"`{' '.join(words[:3])}` took longer than {limit:g} s"
        if done.code != 0:
            return done.complaint.strip().splitlines()[-1]
    (home / "new").replace(home / "bd")
    shutil.rmtree(work)
    return None


@dataclass(frozen=True)
class Bd:
    """A `bd` with a tracker in the repository at `root`, and a home of its own: it writes there too."""

    path: Path
    root: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What to run it with; `bd` is first on PATH."""
        home = {name: str(self.home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        quiet = {"BEADS_NO_DAEMON": "1", "BD_NON_INTERACTIVE": "1", "LC_ALL": "C"}
        return clean_environment({**home, **quiet, "PATH": f"{self.path.parent}:{os.environ['PATH']}"})

    def __call__(self, *words: str, check: bool = True, **more: str) -> bytes:
        """What a command prints; it must not fail, unless told that it may."""
        done = run([str(self.path), *words], cwd=self.root, env=self.environment | more, check=False)
        assert done.code == 0 or not check, f"bd {' '.join(words)}: {done.complaint}"
        return done.out

    @property
    def version(self) -> str:
        """As `bd` says it, `0.47.1`."""
        return self("version").decode().split()[2]


def make_tracker(path: Path, folder: Path) -> Bd:
    """A repository below `folder` with an empty tracker (prefix `fx`) of the `bd` at `path`."""
    root = make_repository(folder / "a repository", {"src/app.py": "x = 1\n"})
    (folder / "home").mkdir()
    bd = Bd(path, root, folder / "home")
    git_out(root, "config", "beads.role", "maintainer")
    bd("init", "--prefix", "fx", "--quiet")
    return bd


def fill_tracker(bd: Bd) -> None:
    """One issue of every kind that decides readiness."""
    _create(bd, "epic", "All of it", "-t", "epic", "-p", "1")
    bd("create", "First child", "--parent", "fx-epic", "-d", "Edit `src/app.py`.", "-l", "backend,api", "-e", "45")
    bd("create", "Second child", "--parent", "fx-epic", "-p", "0")
    bd("dep", "add", "fx-epic.2", "fx-epic.1")
    _create(bd, "gate", "A gate", "-t", "gate")
    _create(bd, "gated", "Behind the gate")
    bd("dep", "add", "fx-gated", "fx-gate")
    _create(bd, "later", "Deferred to a day", "--defer", "2099-01-01")
    _create(bd, "shelf", "Deferred by status")
    bd("update", "fx-shelf", "--status", "deferred")
    _create(bd, "after", "Waits for a deferred one")
    bd("dep", "add", "fx-after", "fx-shelf")
    _create(bd, "done", "Was done")
    bd("close", "fx-done", "--reason", "done")
    _create(bd, "next", "Waited for what was done")
    bd("dep", "add", "fx-next", "fx-done")
    _create(bd, "gone", "Deleted")
    bd("delete", "fx-gone", "--force")
    _create(bd, "held", "A parent that waits")
    bd("dep", "add", "fx-held", "fx-epic.1")
    bd("create", "Child of one that waits", "--parent", "fx-held")
    _create(bd, "doing", "Somebody is at it")
    bd("update", "fx-doing", "--status", "in_progress", "--assignee", "ann")
    _create(bd, "fanin", "Waits for all children", "--waits-for", "fx-epic")
    _create(bd, "found", "Found on the way")
    bd("dep", "add", "fx-found", "fx-doing", "--type", "discovered-from")
    _create(bd, "outside", "Waits for another project")
    bd("dep", "add", "fx-outside", "external:other:thing")


READY = frozenset({"fx-epic.1", "fx-next", "fx-found", "fx-outside"})
"""The work that can be started in that tracker."""
WAITING = {"fx-epic.2": ["fx-epic.1"], "fx-gated": ["fx-gate"], "fx-after": ["fx-shelf"], "fx-held": ["fx-epic.1"]}


def _create(bd: Bd, name: str, title: str, *words: str) -> None:
    bd("create", title, "--id", f"fx-{name}", "-d", f"{title}.", *words)

"""A repository under watch, and the leaks that crashes leave in it."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from resources.monitor.watched import Watched, owner_of
from resources.settings import ResourceSettings
from resources.state import leases
from resources.state.leases import Owner
from resources.state.sqlite import SqliteLedger
from resources.system.clock import boot_seconds, wall
from resources.system.git import git
from resources.system.process import ProcessId, clean_environment, identify, is_alive
from resources.system.repository import Repository, find_repository

_TESS = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Tess"), ("EMAIL", "t@x"))
}

# Forks twice and calls setsid, so that neither a process group nor a parent leads to it; its child is a zombie.
_ORPHAN = """
import os, socket, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
if not os.fork(): os._exit(0)
print(os.getpid(), server.getsockname()[1], flush=True)
os.close(1)
time.sleep(120)
"""


def make_repository(folder: Path) -> Repository:
    """A repository with one commit on `main` and an empty ledger. Its uid is its own: tests run side by side."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "app.py").write_text("print('hello')\n")
    git(folder, "add", "app.py")
    git(folder, "commit", "--quiet", "-m", "start", env=_TESS)
    repository = find_repository(folder)
    ledger = SqliteLedger.create(repository.state)
    with ledger.write() as tx:
        tx.change("meta-put", key="project", value=secrets.token_hex(6))
        tx.change("meta-put", key="base_branch", value="main")
    ledger.close()
    return repository


@contextmanager
def watched(repository: Repository, settings: ResourceSettings, databases=None, *, wake=True):
    """The repository opened with these settings."""
    ledger = SqliteLedger(repository.state)
    try:
        with ledger.read() as snapshot:
            project = owner_of(snapshot)
        yield Watched(repository, ledger, settings, project, databases, wake)
    finally:
        ledger.close()


@dataclass(frozen=True)
class Orphan:
    """A process without a parent, and the port that it listens on."""

    id: ProcessId
    port: int


def orphan(lease: str | None, port: int = 0) -> Orphan:
    """Start one under the mark `lease` ("<project>:<fence>"; None: without)."""
    environment = clean_environment({"AGENT_COORD_LEASE": lease} if lease else {})
    environment = {key: value for key, value in environment.items() if lease or key != "AGENT_COORD_LEASE"}
    done = subprocess.run(
        [sys.executable, "-c", _ORPHAN, str(port)], env=environment, stdout=subprocess.PIPE, check=True, timeout=30
    )
    pid, bound = done.stdout.split()
    return Orphan(identify(int(pid)), int(bound))


def end(one: Orphan) -> None:
    """Kill an orphan that is still there."""
    import os
    import signal

    if is_alive(one.id):
        os.kill(one.id.pid, signal.SIGKILL)
    while is_alive(one.id):
        time.sleep(0.01)


def dead_owner() -> Owner:
    """The identity of a process of this boot that has ended."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        process = identify(child.pid)
        child.communicate()
    return replace(Owner.here(), pid=process.pid, start=process.start)


def lease_of_the_dead(ledger, kind: str, resource: str, issue: str) -> int:
    """A live lease whose owner is dead; returns its fence."""
    with ledger.write() as tx:
        fence = tx.next_fence()
        tx.change(
            "lease-insert", fence=fence, kind=kind, resource=resource, agent="amber", issue=issue,
            owner=dead_owner().to_json(), taken_at=wall(), expires=boot_seconds() + 60,
        )  # fmt: skip
    return fence


def bury(ledger, lease: leases.Lease) -> None:
    """Make the owner of a live lease a dead one, as a kill does."""
    with ledger.write() as tx:
        tx.change("lease-entrust", fence=lease.fence, owner=dead_owner().to_json(), expires=lease.expires)


def reserve(ledger, pattern: str, seconds: float) -> None:
    """A reservation by this process that ends in `seconds`."""
    with ledger.write() as tx:
        tx.change(
            "reservation-insert", agent="amber", issue="bd-1", pattern=pattern, shared=0, predicted=0, why="",
            taken_at=wall(),
            owner=Owner.here().to_json(), expires_at=wall() + seconds, expires=boot_seconds() + seconds,
        )  # fmt: skip


def commit(folder: Path, name: str) -> str:
    """A commit that adds a file; returns its id."""
    (folder / name).write_text(name)
    git(folder, "add", "--sparse", name)
    git(folder, "commit", "--quiet", "-m", name, env=_TESS)
    return git(folder, "rev-parse", "HEAD").text

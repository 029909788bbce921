"""A real Docker engine and an image of this machine's own Postgres, for the tests of the container provider.

An engine that answers is used as it is. Else, as root with `dockerd` on PATH, one is started below a temporary folder
and stopped again. No image is pulled: one is put together from the installed Postgres and the libraries that it links,
with an entry point that keeps the part of the official image's contract that the provider relies on.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.databases.binaries import Binaries, find_binaries
from resources.system.errors import Failure

IMAGE = "agent-coord-test-postgres"

ENTRY = """#!/bin/sh
set -e
export PGDATA=/data/cluster
if [ ! -f $PGDATA/PG_VERSION ]; then
  $BIN/initdb -U postgres --pwfile=$POSTGRES_PASSWORD_FILE $POSTGRES_INITDB_ARGS
  echo 'host all all all scram-sha-256' >> $PGDATA/pg_hba.conf
fi
shift
exec $BIN/postgres "$@"
"""


@contextmanager
def engine(folder: Path) -> Generator[None]:
    """An engine that the environment leads to, with `IMAGE`; skips the test with the reason when there is none."""
    with _running(folder) as place, pytest.MonkeyPatch.context() as patch:
        if place:
            patch.setenv("DOCKER_HOST", place)
        import docker

        with_client = docker.from_env(timeout=120)
        try:
            _build(with_client)
            yield
        finally:
            with_client.images.remove(IMAGE, force=True)
            with_client.close()


@contextmanager
def _running(folder: Path) -> Generator[str]:
    if _answers(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"):
        yield ""
        return
    program = shutil.which("dockerd")
    if program is None:
        pytest.skip("no Docker engine answers and dockerd is not on PATH")
    if os.geteuid() != 0:
        pytest.skip("no Docker engine answers and only root can start one")
    place, bridge = f"unix://{folder}/docker.sock", Path("/sys/class/net/docker0")
    had_bridge = bridge.exists()
    argv = [program, "-H", place, "--iptables=false", "--ip6tables=false", "--ip-forward=false", "-s", "vfs"]
    argv += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-p", f"{folder}/dockerd.pid"]
    with (folder / "dockerd.log").open("wb") as log:
        child = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not _answers(place):
            if child.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"dockerd does not start: {(folder / 'dockerd.log').read_text()[-400:]}")
            time.sleep(0.1)
        yield place
    finally:
        child.terminate()
        child.wait(60)
        if bridge.exists() and not had_bridge:
            subprocess.run(["ip", "link", "delete", "docker0"], check=True)
        shutil.rmtree(folder / "data", ignore_errors=True)


def _answers(place: str) -> bool:
    """Whether something listens there. The docker package is not asked: it leaves a socket behind for each refusal."""
    if not place.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(place.removeprefix("unix://")) == 0


def _build(client) -> None:
    try:
        found = find_binaries("system")
    except Failure as failure:
        pytest.skip(f"an image is put together from an installed Postgres: {failure.what}")
    changes = ["USER 65534", 'ENTRYPOINT ["/bin/sh", "/entry.sh"]', "EXPOSE 5432", f"ENV BIN={found.folder}"]
    client.api.import_image_from_data(_root(found), repository=IMAGE, tag="latest", changes=changes)


def _root(found: Binaries) -> bytes:
    """A tar of a root file system: Postgres, what it links, a shell, a folder that its user may write into."""
    buffer = io.BytesIO()
    share = subprocess.run([found.program("pg_config"), "--sharedir"], check=True, capture_output=True, text=True)
    shell = Path("/bin/sh").resolve()
    trees = [found.folder.parent / "lib", Path(share.stdout.strip()), Path("/usr/share/zoneinfo")]
    programs = [Path(found.program(name)) for name in ("postgres", "initdb")]
    files = {*programs, *_linked([*programs, shell, *(found.folder.parent / "lib").glob("*.so")])}
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        # An engine makes folders that the archive does not name for root alone.
        for folder in sorted(
            {
                parent
                for path in [*files, *trees, Path("/bin/sh"), Path("/etc/x"), Path("/var/run/x")]
                for parent in path.parents
            }
        ):
            _folder(archive, str(folder), 0o755)
        for path in files:
            archive.add(path.resolve(), str(path))
        archive.add(shell, "bin/sh")
        for tree in trees:
            archive.add(tree, str(tree), filter=lambda entry: None if "bitcode" in entry.name else entry)
        _text(archive, "entry.sh", ENTRY)
        _text(archive, "etc/passwd", "postgres:x:65534:65534::/:/bin/sh\n")
        for name in ("tmp", "data", "var/run/postgresql"):
            _folder(archive, name, 0o777)
    return buffer.getvalue()


def _linked(programs: list[Path]) -> set[Path]:
    """The libraries that the programs load."""
    said = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"(/\S+\.so\S*) \(0x", said)}


def _folder(archive: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry)


def _text(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text.encode()), 0o755
    archive.addfile(entry, io.BytesIO(text.encode()))

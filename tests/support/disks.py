"""A small disk of its own, for tests of full and read-only ones. Mounting needs root; elsewhere the test is skipped."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A mounted file system."""

    folder: Path

    def fill(self) -> None:
        """Write until no block is left."""
        with (self.folder / "ballast").open("wb", buffering=0) as stream:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        stream.write(b"x" * size)
                except OSError:
                    continue

    def free(self) -> None:
        """Give the space back."""
        (self.folder / "ballast").unlink()

    def writable(self, yes: bool) -> None:
        """Mount it anew, read-only or not; nobody may have a file open for writing."""
        _mount("-o", "remount,rw" if yes else "remount,ro", str(self.folder))


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Generator[Disk]:
    """A disk at `folder`, unmounted at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    done = _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    if done.returncode != 0:
        pytest.skip(f"a small disk needs the right to mount: {done.stderr.decode().strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False)

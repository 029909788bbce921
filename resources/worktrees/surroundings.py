"""What a repository and its disk are like, as far as slots meet it: for `init` and `doctor` to say.

Nothing here is refused. Each remark tells what is different in a slot and what helps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.system.git import git, resolve
from resources.system.repository import Repository

_MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True)
class Remark:
    """One thing that is different, and what helps ("" when nothing needs to)."""

    what: str
    mend: str = ""


def remarks(repository: Repository, pool: Path, mounts: Path = _MOUNTS) -> list[Remark]:
    """What slots in the folder `pool` will meet; `mounts` is the kernel's list of mounted disks (Linux alone)."""
    return [*_submodules(repository), *_large_files(repository), *_references(repository), *_disk(pool, mounts)]


def _submodules(repository: Repository) -> Iterator[Remark]:
    if resolve(repository.root, "HEAD") is None:
        return
    listing = git(repository.root, "ls-tree", "-r", "-z", "HEAD", read=True).records
    found = [record.partition("\t")[2] for record in listing if record.startswith("160000 ")]
    if found:
        yield Remark(
            f"{len(found)} submodules ({', '.join(found[:3])}) are empty in a slot until they are fetched",
            'setup = ["git", "submodule", "update", "--init"] under [pool], then agent-coord pool approve',
        )


def _large_files(repository: Repository) -> Iterator[Remark]:
    attributes = git(repository.root, "grep", "-l", "-E", "filter=lfs", "--", "*.gitattributes", check=False, read=True)
    if attributes.code != 0:
        return
    installed = git(repository.root, "config", "filter.lfs.smudge", check=False, read=True).code == 0
    if installed:
        yield Remark("large files (LFS) are shared by the slots; only those that a slot shows are fetched")
    else:
        yield Remark("large files (LFS) are pointers only, because git lfs is not set up", "git lfs install")


def _references(repository: Repository) -> Iterator[Remark]:
    config = ("config", "--file", str(repository.common / "config"), "extensions.refStorage")
    if git(repository.root, *config, check=False, read=True).text == "reftable":
        yield Remark(
            "references are kept as a reftable: the coordinator asks git for every branch, which is slower",
            "git refs migrate --ref-format=files",
        )


def _disk(pool: Path, mounts: Path) -> Iterator[Remark]:
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return
    place = pool.resolve()
    around = [line for line in lines if len(line) > 3 and place.is_relative_to(_unescaped(line[1]))]
    if around and "discard" in max(around, key=lambda line: len(line[1]))[3].split(","):
        yield Remark(
            f"{pool} lies on a disk mounted with discard, where deleting a slot takes long (in the background)",
            "mount without discard and run fstrim now and then",
        )


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path)

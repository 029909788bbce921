"""Logs that other programs write: of one that grows too long the beginning and the end are kept.

A program that was started holds its log open and appends to it, also when we are dead, so the file can neither be
exchanged nor shortened under it without losing what is written at that moment. But its middle can be freed in place:
sizes and offsets stay as they are, no byte that is appended is lost, and the disk gets the blocks back (a *hole*, which
reads as zeros). Linux and macOS can do that on their usual file systems; elsewhere a log stays whole until its program
has ended. Then the file is written anew without the hole.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from resources.system.files import disk_failure

BLOCK = 65_536
"""Bytes; holes begin and end at multiples of it, which every file system's own blocks divide."""
_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02
_F_PUNCHHOLE = 99
"""Linux: linux/falloc.h. macOS: sys/fcntl.h, with a struct of flags, padding, offset and length."""


def free_middle(log: Path, begin: int, end: int, note: str) -> bool:
    """Give the disk back what `log` holds from `begin` to `end`, while its program goes on appending to it.

    What is left out is said by `note` in its place. False when the file system cannot, or the part is too small.
    """
    first, last = -(-begin // BLOCK) * BLOCK, end // BLOCK * BLOCK
    if last - first < BLOCK:
        return False
    try:
        with log.open("r+b") as stream:
            _punch(stream.fileno(), first, last - first)
            os.pwrite(stream.fileno(), note.encode() + b"\n", begin)
    except OSError:
        return False
    return True


def cut_middle(log: Path, begin: int, keep: int, note: str) -> int:
    """Write a log anew that nobody writes any more; returns how many bytes were left out, 0 for one that is short.

    What lies before `begin` is kept, of the rest the first and the last half of `keep` bytes; between them stands
    `note`, in which {bytes} is the number. Raises Failure("disk-full"); the log is then as it was.
    """
    size = log.stat().st_size if log.exists() else 0
    head, tail = begin + keep // 2, size - keep // 2
    if tail <= head:
        return 0
    aside = log.with_name(f".{log.name}.cut")
    try:
        with log.open("rb") as old, aside.open("wb") as new:
            _copy(old, new, head)
            old.seek(tail)
            old.readline(BLOCK)  # the half of a line says nothing
            tail = old.tell()
            new.write(f"\n{note.format(bytes=tail - head)}\n".encode())
            shutil.copyfileobj(old, new, BLOCK)
        aside.replace(log)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise disk_failure(error, log) from error
    return tail - head


def written(stream: IO[bytes]) -> Iterator[bytes]:
    """What a log holds from here on, in blocks, without the zeros of its hole."""
    while block := stream.read(16 * BLOCK):
        yield block.replace(b"\0", b"")


def _copy(old: IO[bytes], new: IO[bytes], count: int) -> None:
    while count > 0 and (block := old.read(min(count, BLOCK))):
        new.write(block)
        count -= len(block)


def _punch(file: int, offset: int, length: int) -> None:
    """Free a part of an open file. Raises OSError."""
    if sys.platform == "darwin":
        fcntl.fcntl(file, _F_PUNCHHOLE, struct.pack("=IIqq", 0, 0, offset, length))
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "fallocate64", None) or getattr(libc, "fallocate", None)
    if call is None:
        raise OSError("this system frees no part of a file")
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if call(file, _KEEP_SIZE | _PUNCH_HOLE, offset, length) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")

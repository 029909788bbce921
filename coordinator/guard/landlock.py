"""Linux Landlock without a library: gives up every write outside of the named places, then becomes another program.

    python -I -S landlock.py --write PLACE … [--hold FILE] -- PROGRAM ARGUMENT …

Works for any user, costs 0.3 ms, and cannot be taken back by the program or its children. Only writing is given up:
what may be read stays as it was. Landlock knows permissions, no exceptions from them, so places are whole folders (or
single files). A kernel before 6.2 cannot keep a file from being truncated; `abi` tells what there is (3: it can).
A permission is a file's, not its name's. `--hold` therefore keeps a shared lock on a file of SQLite as long as the
program lives: nobody can be the last then to close that database, and no new log takes the place of the permitted one.

Figures: the system call numbers and bits are those of the kernel's `linux/landlock.h`, the same on every machine.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import sys

CREATE, ADD, RESTRICT = 444, 445, 446
_NO_NEW_PRIVILEGES = 38
_WRITE_FILE, _TRUNCATE, _REFER = 1 << 1, 1 << 14, 1 << 13
_TREE = sum(1 << bit for bit in range(4, 13))
"""Making and removing entries of every kind."""
NEEDED_ABI = 3


def abi() -> int:
    """The version of Landlock that the kernel offers, 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _call(CREATE, None, 0, 1))


def enclose(places: list[str]) -> None:
    """Give up writing outside of `places`, for this process and its children; those that are missing do not count.

    Raises OSError.
    """
    version = abi()
    if version == 0:
        raise OSError("the kernel offers no Landlock")
    handled = _WRITE_FILE | _TREE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= NEEDED_ABI else 0)
    attributes = struct.pack("=Q", handled)
    rules = _checked(_call(CREATE, attributes, len(attributes), 0))
    for place in places:
        _allow(rules, place, handled)
    if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    _checked(_call(RESTRICT, rules, 0))
    os.close(rules)


def hold(file: str) -> None:
    """Lock a file beside whoever else shares it until this program, or the one that it becomes, ends."""
    descriptor = os.open(file, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    fcntl.lockf(descriptor, fcntl.LOCK_SH)


def _allow(rules: int, place: str, handled: int) -> None:
    try:
        target = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    folder = os.path.isdir(place)
    allowed = handled if folder else handled & (_WRITE_FILE | _TRUNCATE)
    _checked(_call(ADD, rules, 1, struct.pack("=Qi", allowed, target), 0))
    os.close(target)


def _call(number: int, *arguments: object) -> int:
    system = ctypes.CDLL(None, use_errno=True)
    system.syscall.restype = ctypes.c_long
    return system.syscall(number, *(_as_long(one) for one in arguments))


def _as_long(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def main(argv: list[str]) -> int:
    """Enclose this process and become the program. Returns only when that failed."""
    cut = argv.index("--")
    named = [(argv[at], argv[at + 1]) for at in range(0, cut, 2)]
    try:
        for _, file in (one for one in named if one[0] == "--hold"):
            hold(file)
        enclose([place for name, place in named if name == "--write"])
        os.execvp(argv[cut + 1], argv[cut + 1 :])  # noqa: S606 -- the program takes our place, there is no shell
    except OSError as error:
        sys.stderr.write(f"agent-coord: no wall, so no agent: {error}\n")
    return 126


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

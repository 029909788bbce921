"""`agent-coord hook …`: called by agents' programs and by git, not by people. Light: see `coordinator.guard.sign`.

The launcher comes here before anything else is imported. The process ends without Python's own tidying up: nothing
is left open that the system would not close, and it would cost 2 ms of every tool call.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from typing import NoReturn

NAMES = ("pre-tool-use", "git-reference-transaction", "git-pre-commit")


LONGEST = 20
"""Seconds. A program takes a hook that is late for one that agrees, so ours gives up and refuses long before."""


def main(argv: list[str]) -> int:
    """Answer the hook `argv[0]`; ends the process, with 2 whatever went wrong."""
    _refuse_when_late()
    try:
        code, said = _answer(argv)
    except BaseException as error:  # noqa: BLE001 -- any other code than 2 lets the tool run that this hook guards
        code, said = 2, f"agent-coord: the guard failed ({type(error).__name__}: {error})\n"
    _end(code, said)


def _end(code: int, said: str) -> NoReturn:
    try:
        stream = sys.stderr if code else sys.stdout
        stream.write(said)
        stream.flush()
    except Exception:  # noqa: BLE001, S110 -- nobody listens; the code says it all
        pass
    os._exit(code)


def _refuse_when_late() -> None:
    # The room in C: `signal` itself costs 2 ms.
    system = __import__("_signal")
    late = f"agent-coord: the guard found no answer in {LONGEST} s: agent-coord doctor\n"
    system.signal(system.SIGALRM, lambda *_: _end(2, late))
    system.alarm(LONGEST)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"  # it is gone; the call names its own folder


def _answer(argv: list[str]) -> tuple[int, str]:
    name = argv[0] if argv else ""
    environ = dict(os.environ)
    if name == "pre-tool-use":
        from coordinator.guard.sign import answer

        return answer(sys.stdin.buffer.read(), _here(), environ)
    if name in NAMES:
        from coordinator.guard.ref_guard import check_refs, check_staged

        if name == "git-pre-commit":
            return check_staged(argv[1:])
        return check_refs(argv[1:], sys.stdin.read())
    # 2 denies a tool call and fails a git hook: a hook that is not known guards nothing.
    return 2, f"agent-coord: there is no hook {name!r}; known: {', '.join(NAMES)}\n"

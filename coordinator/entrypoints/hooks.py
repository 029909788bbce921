"""`agent-coord hook …`: called by agents' programs and by git, not by people. Light: see `coordinator.guard.sign`.

The launcher comes here before anything else is imported. The process ends without Python's own tidying up: nothing
is left open that the system would not close, and it would cost 2 ms of every tool call.
"""

from __future__ import annotations

import os
import sys

NAMES = ("pre-tool-use", "git-reference-transaction", "git-pre-commit")


def main(argv: list[str]) -> int:
    """Answer the hook `argv[0]`; ends the process."""
    code, said = _answer(argv)
    if said:
        stream = sys.stderr if code else sys.stdout
        stream.write(said)
        stream.flush()
    os._exit(code)


def _answer(argv: list[str]) -> tuple[int, str]:
    name = argv[0] if argv else ""
    environ = dict(os.environ)
    if name == "pre-tool-use":
        from coordinator.guard.sign import answer

        return answer(sys.stdin.buffer.read(), os.getcwd(), environ)
    if name in NAMES:
        from coordinator.guard.ref_guard import check_refs, check_staged

        if name == "git-pre-commit":
            return check_staged(argv[1:])
        return check_refs(argv[1:], sys.stdin.read())
    # 2 denies a tool call and fails a git hook: a hook that is not known guards nothing.
    return 2, f"agent-coord: there is no hook {name!r}; known: {', '.join(NAMES)}\n"

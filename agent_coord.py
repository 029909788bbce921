"""Launcher of the three commands.

It is the only module that a command starts in. It puts our own packages ahead of whatever the
working directory or PYTHONPATH brings: agents work in repositories that may have an `analyzer/`
or a `resources/` package of their own, and theirs must never run in place of ours.
"""

import os
import sys


def _ours_first() -> None:
    home = os.path.dirname(os.path.abspath(__file__))
    if home not in sys.path:
        sys.path.insert(0, home)  # started with -I -S, as hooks are, Python knows of no place but its own
    try:
        here = os.getcwd()
    except OSError:
        here = "/"  # an agent may have taken its own folder away
    outside = {_full(here, path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep)} | {here}
    foreign = outside - {home}
    sys.path.sort(key=lambda entry: _full(here, entry) in foreign)


def _full(here: str, path: str) -> str:
    return os.path.normpath(os.path.join(here, path))


def coordinate() -> int:
    """Run `agent-coord`; returns its exit code."""
    if sys.argv[1:2] == ["hook"]:
        return _hook()
    _ours_first()
    from coordinator.entrypoints.main import main

    return main(sys.argv[1:])


def _hook() -> int:
    try:
        _ours_first()
        from coordinator.entrypoints import hooks
    except BaseException as error:  # noqa: BLE001
        # Any other code than 2 would let the tool run that this hook guards.
        sys.stderr.write(f"agent-coord: the guard cannot be loaded ({error}); reinstall agent-coord\n")
        return 2
    return hooks.main(sys.argv[2:])


def analyze() -> int:
    """Run `track-analyzer`; returns its exit code."""
    _ours_first()
    import gc

    # One answer and the process is gone: looking for garbage would cost a quarter of the time and find none.
    gc.disable()
    from analyzer.cli import main

    code = main(sys.argv[1:])
    gc.freeze()  # else the interpreter looks once more as it ends
    return code


def monitor() -> int:
    """Run `resource-monitor`; returns its exit code."""
    _ours_first()
    from resources.cli import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    COMMANDS = {"agent-coord": coordinate, "track-analyzer": analyze, "resource-monitor": monitor}
    # `python -m agent_coord track-analyzer …` reaches the sibling commands; a bare word is ours.
    chosen = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if chosen is not None:
        del sys.argv[1]
    sys.exit((chosen or coordinate)())

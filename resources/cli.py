"""`resource-monitor`: what is used, whether it is too much, and what nobody holds any more.

The answer goes to stdout (as JSON with `--json`), the narration to stderr. Exit codes: 0 done, 1 the user can
mend it, 2 usage, 3 our bug, 4 not now; `check` answers 0 ok, 1 warn, 4 critical. The global options may stand
before or after the command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.system.door import leave, run_typer
from resources.system.errors import Misuse
from resources.system.repository import Repository, find_repository

if TYPE_CHECKING:
    from resources.monitor.values import Usage
    from resources.monitor.watched import Watched

_CHECK_CODES = {"ok": 0, "warn": 1, "critical": 4}
_FLAGS = {"--json": "json", "--quiet": "quiet", "-q": "quiet", "--verbose": "verbose", "-v": "verbose"}
_VALUES = {"--repo": "repo", "--config": "config"}


@dataclass(frozen=True)
class Options:
    """The global options."""

    repo: str = ""
    config: str = ""
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool = True

    def repository(self) -> Repository:
        """The repository that is asked about. Raises Failure("not-a-repository")."""
        return find_repository(Path(self.repo) if self.repo else Path.cwd())

    @property
    def file(self) -> Path | None:
        """The configuration to read in place of the repository's own. Raises Failure when it is not there."""
        if self.config and not Path(self.config).is_file():
            raise Misuse("config-missing", f"there is no file {self.config}", mend="check --config")
        return Path(self.config) if self.config else None

    def say(self, text: str) -> None:
        """Narrate, unless quiet."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def answer(self, record: dict[str, Any], text: str) -> None:
        """Print the answer in the form that was asked for."""
        print(json.dumps(record, ensure_ascii=False) if self.json else text)


def main(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    return leave("resource-monitor", argv, lambda: _dispatch(*split_options(argv)))


def split_options(argv: Sequence[str]) -> tuple[Options, list[str]]:
    """Take the global options out of a command line, wherever they stand. Raises Misuse for one without its value."""
    options, rest, words = Options(), [], iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if word in _FLAGS:
            options = replace(options, **{_FLAGS[word]: True})
        elif word == "--no-color":
            options = replace(options, color=False)
        elif name in _VALUES:
            value = value if equals else next(words, "")
            if not value:
                raise Misuse("option-value", f"{name} needs a path", mend="resource-monitor --help")
            options = replace(options, **{_VALUES[name]: value})
        else:
            rest.append(word)
    return options, rest


def _dispatch(options: Options, rest: list[str]) -> int:
    return run_typer(_app(options), rest or ["--help"], "resource-monitor")


def _app(options: Options) -> Callable[..., Any]:
    import typer

    app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.callback(invoke_without_command=True)
    def _globals(
        repo: str = typer.Option("", "--repo", metavar="PATH", help="The repository (default: around this folder)."),
        config: str = typer.Option("", "--config", metavar="FILE", help="Read this configuration."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
        quiet: bool = typer.Option(False, "--quiet", "-q", help="No narration."),
        verbose: bool = typer.Option(False, "--verbose", "-v", help="More narration."),
        no_color: bool = typer.Option(False, "--no-color", help="No colours."),
        version: bool = typer.Option(False, "--version", help="Print the version."),
    ) -> None:
        # All but --version were taken before; they stand here for --help.
        if version:
            print(_version())
            raise typer.Exit

    @app.command("cleanup-leaks")
    def _cleanup(
        yes: bool = typer.Option(False, "--yes", help="Take back; without it this only shows what would be done."),
        now: bool = typer.Option(False, "--now", help="Do not wait between the first sighting and taking back."),
    ) -> int:
        """Take back what nobody holds: first sighting condemns, a later pass reclaims."""
        return _leaks(options, act=yes, now=now)

    for name, (help_text, command) in _COMMANDS.items():
        app.command(name, help=help_text)(_closed(command, options))
    return app


def _closed(command: Callable[[Options], int], options: Options) -> Callable[[], int]:
    return lambda: command(options)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"resource-monitor {version('agent-coord')}"
    except PackageNotFoundError:
        return "resource-monitor (not installed)"


@contextmanager
def _watching(options: Options, *, wake: bool = False) -> Generator[Watched]:
    from resources.monitor.watched import watch

    with watch(options.repository(), options.file, wake=wake) as watched:
        yield watched


def _check(options: Options) -> int:
    from resources import cli_text
    from resources.monitor.limits import judge, worst
    from resources.monitor.usage import take_usage

    with _watching(options) as watched:
        usage = take_usage(watched)
    readings = judge(usage, watched.settings.limits)
    level = worst(readings)
    _narrate(options, usage)
    record = {"schema": 1, "level": level, "limits": [reading.to_json() for reading in readings]}
    options.answer(record, cli_text.readings(readings, colour=cli_text.colours(options.color)))
    return _CHECK_CODES[level]


def _narrate(options: Options, usage: Usage) -> None:
    for unknown in usage.unknown:
        options.say(f"unknown: {unknown}")
    if options.verbose:
        options.say(f"measured in {usage.seconds:.3f} s; most descriptors of its limit: {usage.descriptors_worst}")


def _status(options: Options) -> int:
    from resources import cli_text
    from resources.leaks.daemon_lock import daemon_process
    from resources.monitor.limits import judge
    from resources.monitor.sample import as_json, read_sample
    from resources.monitor.usage import take_usage

    with _watching(options) as watched:
        usage = take_usage(watched)
    readings = judge(usage, watched.settings.limits)
    daemon = daemon_process(watched.repository)
    sample = read_sample(watched.repository) if daemon else None
    record = as_json(usage, readings, sample["leaks"] if sample else None)
    record["daemon"] = {"pid": daemon.pid} if daemon else None
    _narrate(options, usage)
    options.answer(record, cli_text.status(usage, readings, record, colour=cli_text.colours(options.color)))
    return 0


def _leaks(options: Options, *, act: bool = False, now: bool = False) -> int:
    from resources import cli_text
    from resources.leaks.sweep import sweep

    with _watching(options, wake=True) as watched:
        report = sweep(watched, act=act, now=now)
        wait = watched.settings.limits.condemned_seconds
    options.answer(cli_text.report_json(report, act=act), cli_text.report(report, act=act, wait=wait))
    if not report.complete:
        options.say(f"not everything could be seen, so nothing was judged or taken back: {report.why}")
    failed = any(outcome.result == "failed" for _, outcome in report.done)
    return 1 if failed or not report.complete else 0


def _start(options: Options) -> int:
    from resources.leaks.daemon import start

    with _watching(options):
        pass  # a repository without a ledger, or a faulty configuration, is told here and not in a log
    process = start(options.repository(), options.file)
    options.answer({"schema": 1, "daemon": {"pid": process.pid}}, f"the daemon runs (process {process.pid})")
    return 0


def _stop(options: Options) -> int:
    from resources.leaks.daemon import stop

    ended = stop(options.repository())
    options.answer({"schema": 1, "stopped": ended}, "the daemon has ended" if ended else "no daemon runs")
    return 0


def _run(options: Options) -> int:
    from resources.leaks.daemon import Daemon

    with _watching(options):
        pass
    Daemon(options.repository(), options.file).run()
    return 0


def _metrics(options: Options) -> int:
    from resources.monitor.counted import acquired, reaped
    from resources.monitor.limits import judge
    from resources.monitor.metrics import render
    from resources.monitor.usage import take_usage

    with _watching(options) as watched:
        usage = take_usage(watched)
        readings = judge(usage, watched.settings.limits)
        text = render(watched.project, usage, readings, None, reaped(watched), acquired(watched))
    options.answer({"schema": 1, "metrics": text}, text.rstrip("\n"))
    return 0


def _systemd(options: Options) -> int:
    from resources.leaks.daemon import systemd_unit

    text = systemd_unit(options.repository())
    options.answer({"schema": 1, "unit": text}, text.rstrip("\n"))
    options.say("# save as ~/.config/systemd/user/agent-coord.service, then: systemctl --user enable --now agent-coord")
    return 0


_COMMANDS: dict[str, tuple[str, Callable[[Options], int]]] = {
    "check": ("Compare what is used with the limits: exit 0 ok, 1 warn, 4 critical.", _check),
    "status": ("What is used now, slot by slot, and whether the daemon runs.", _status),
    "detect-leaks": ("List what bears our mark and nobody holds.", _leaks),
    "start": ("Start the daemon.", _start),
    "stop": ("End the daemon.", _stop),
    "run": ("Be the daemon, in the foreground.", _run),
    "metrics": ("What is used now, as Prometheus text.", _metrics),
    "systemd": ("Print a unit that keeps the daemon running.", _systemd),
}

"""The scripted agent: a real process that does what a script says, in the slot it was started in.

`python -I -m coordinator.agents.player SCRIPTS_FOLDER`, with the briefing and the issue in the
environment, as every agent gets them. It edits files, runs programs against the slot's own database
and commits under its own name; it knows nothing of the coordinator and gets no help from it. Each step
prints one JSON line `{"type": "say|edit|run|commit|error", "text": …, "files": […]}` at once.

Exit codes: 0 done; 1 a step failed, the last line says which; 3 a cherry-pick met a conflict.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.agents.scripts import EDITS, Step, read_script
from resources.system.errors import Failure
from resources.system.process import Completed, run

CONFLICT = 3
"""Exit code: the commits do not apply on this base."""


def tell(kind: str, text: str, files: tuple[str, ...] = ()) -> None:
    """Print one line of the log."""
    print(json.dumps({"type": kind, "text": text, "files": files}, ensure_ascii=False), flush=True)  # noqa: T201


@dataclass
class Player:
    """One attempt: where it works, as whom, and which files it has touched so far."""

    slot: Path
    agent: str
    touched: dict[str, None] = field(default_factory=dict)

    def play(self, step: Step) -> None:
        """Do one step. Raises Failure when it cannot be done."""
        if step.verb in EDITS:
            self.edit(step)
            return
        match step.verb:
            case "say":
                tell("say", step.target)
            case "sleep":
                time.sleep(step.target)
            case "run":
                self.run(step)
            case "commit":
                self.commit(step.target)
            case _:
                self.cherry_pick([str(commit) for commit in step.target])

    def edit(self, step: Step) -> None:
        """Change one file of the slot."""
        path = self.slot / step.target
        if not path.resolve().is_relative_to(self.slot.resolve()):
            raise Failure("outside-slot", f"{step.target} is outside {self.slot}")
        old = path.read_text() if path.is_file() else ""
        if step.more.get("unless") and step.more["unless"] in old:
            return
        if step.verb not in ("write", "append") and not path.is_file():
            raise Failure(
                "no-file", f"{step.target} is not in {self.slot}", why="missing on this base, or not in the view"
            )
        self.touched[step.target] = None
        if step.verb == "delete":
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(edited(step, old))
        tell("edit", f"{step.verb.replace('_', ' ')} {step.target}", (step.target,))

    def run(self, step: Step) -> None:
        """Run a program in the slot."""
        shown = " ".join(map(str, step.target)).replace("{python}", "python")
        argv = [sys.executable if word == "{python}" else str(word) for word in step.target]
        done = run(argv, cwd=self.slot, env=dict(os.environ), check=False)
        tell("run", f"{shown} ended with {done.code} after {done.seconds:.1f} s")
        if (done.code != 0 or done.timed_out) and not step.more.get("may_fail"):
            raise Failure("run-failed", f"{shown} ended with {done.code}", why=done.complaint)

    def commit(self, message: str) -> None:
        """Commit what was touched since the last commit."""
        if not self.touched:
            raise Failure("nothing-to-commit", "no file was touched since the last commit")
        tracked = self._git("ls-files", "-z", "--", *self.touched).text.split("\0")
        # A file that came and went again is none of git's business.
        files = tuple(path for path in self.touched if path in tracked or (self.slot / path).exists())
        self._git("add", "-A", "--", *files)
        self._git("commit", "--quiet", "-m", message, "--", *files)
        self.touched.clear()
        tell("commit", message, files)

    def cherry_pick(self, commits: list[str]) -> None:
        """Take over whole commits, keeping their authors. Ends the process with CONFLICT when they do not apply."""
        done = self._git("cherry-pick", "--keep-redundant-commits", *commits, check=False)
        if done.code == 0:
            tell("commit", f"cherry-picked {len(commits)} commits")
            return
        paths = self._git("diff", "--name-only", "--diff-filter=U", "-z", check=False).text.split("\0")
        self._git("cherry-pick", "--abort", check=False)
        files = tuple(path for path in paths if path)
        # Without a path in conflict it was something else: a commit that is not there, a lock.
        tell("error", f"conflict in {', '.join(files)}" if files else done.complaint, files)
        sys.exit(CONFLICT if files else 1)

    def _git(self, *arguments: str, check: bool = True) -> Completed:
        me = (
            "-c",
            f"user.name={self.agent}",
            "-c",
            f"user.email={self.agent}@agents.invalid",
            "-c",
            "commit.gpgSign=false",
        )
        return run(["git", *me, *arguments], cwd=self.slot, env=dict(os.environ), check=check)


def edited(step: Step, old: str) -> str:
    """The new content of a file whose content is `old`. Raises Failure when the script does not fit it."""
    more = step.more
    if step.verb == "write":
        return more["text"]
    if step.verb == "append":
        return old + more["text"]
    if step.verb == "replace":
        _once(old.count(more["old"]), more["old"], step.target)
        return old.replace(more["old"], more["new"])
    lines = old.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if more["anchor"] in line]
    _once(len(places), more["anchor"], step.target)
    return "".join([*lines[: places[0] + 1], more["text"], *lines[places[0] + 1 :]])


def _once(count: int, what: str, path: str) -> None:
    if count != 1:
        raise Failure("no-such-place", f"{path} holds {what.strip().splitlines()[0]!r} {count} times, not once")


def main(scripts: Path) -> int:
    """Play the attempt that the environment names; returns the exit code."""
    values = os.environ
    try:
        briefing = Path(values["AGENT_COORD_BRIEFING"]).read_text().strip()
        issue, attempt = values["AGENT_COORD_ISSUE"], int(values["AGENT_COORD_ATTEMPT"])
        tell("say", f"briefed: {briefing.partition(chr(10))[0]}")
        player = Player(Path.cwd(), values.get("AGENT_COORD_AGENT", "scripted"))
        for step in read_script(scripts, issue, attempt):
            player.play(step)
    except Failure as failure:
        tell("error", f"{failure.what}: {failure.why}" if failure.why else failure.what)
        return 1
    except (KeyError, ValueError, OSError) as error:
        tell("error", f"cannot work: {error!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

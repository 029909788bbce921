"""The first look at an entry, before it costs a gate, and again whenever the base branch has moved.

It may have landed already (a coordinator was killed between moving the branch and writing it down), its claim may
have ended, or it conflicts with the base branch: then the author gets both sides named, and the queue never resolves
anything by itself. A change that may make the gate say less is shown to a person first, once.
"""

from __future__ import annotations

from coordinator.bootstrap import Project
from coordinator.gate.evidence import outline
from coordinator.guard import landing as guard
from coordinator.merging.land import Merged, landing_of, merge_of, rivals_of
from coordinator.merging.order import Entry
from coordinator.merging.register import Register
from coordinator.merging.rulings import Ruling
from coordinator.merging.tamper import Watch, read_diff, suspicions
from coordinator.tasks.lifecycle import Outcome
from resources.system.git import git


class Examiner:
    """Looks at entries, each once for every commit of the base branch."""

    def __init__(self, project: Project, register: Register) -> None:
        self._project = project
        self._register = register
        self._seen: set[tuple[int, str]] = set()
        self._shown: set[int] = set()

    def look(self, entry: Entry, base: str) -> list[Ruling] | None:
        """The rulings on the entry; None when there is nothing to say and it may be tried."""
        if (entry.id, base) in self._seen:
            return None
        project, register = self._project, self._register
        merged = landing_of(project.repository, project.base, entry.tip)
        if merged is not None:
            return register.landed([Merged(entry, base, merged)])
        if not register.is_claimed(entry):
            register.withdraw(entry)
            return []
        merge = merge_of(project.repository, base, entry)
        if not merge.clean:
            return self._conflict(entry, base, merge.conflicts)
        found = self.trespass(Merged(entry, base, merge.tree))
        if found is None:
            found = self._objection(entry)
        if found is None:
            self._seen = {(number, tip) for number, tip in self._seen if tip == base} | {(entry.id, base)}
        return found

    def trespass(self, part: Merged) -> list[Ruling] | None:
        """Give an entry back that writes outside of its scope; None when it does not."""
        project, entry = self._project, part.entry
        change = guard.Landing(entry.issue, entry.fence, entry.tip, part.onto, part.commit)
        found = guard.check_landing(project.repository, project.ledger, project.config.scope, change)
        if found is None:
            return None
        # What somebody holds is free again once that has landed: the next attempt waits for it. The rest is to mend.
        outcome = Outcome.CONFLICT if found.held else Outcome.RED
        return self._register.bounced(entry, Ruling(entry.issue, outcome, found.why, found.advice, found.paths))

    def _conflict(self, entry: Entry, base: str, paths: tuple[str, ...]) -> list[Ruling]:
        project = self._project
        why = f"conflicts with {project.base} in {outline(paths)}"
        theirs = rivals_of(project.repository, base, entry.tip, paths)
        lines = [f"in conflict: {', '.join(paths)}", f"yours: {entry.branch} at {entry.tip[:10]}"]
        lines += [f"theirs, on {project.base}: {line}" for line in theirs]
        ruling = Ruling(entry.issue, Outcome.CONFLICT, why, "\n".join(lines), paths)
        return self._register.bounced(entry, ruling)

    def _objection(self, entry: Entry) -> list[Ruling] | None:
        gate = self._project.config.gate
        if entry.approved or gate.weakened == "off" or entry.id in self._shown:
            return None
        self._shown.add(entry.id)
        why = "; ".join(self._suspicions(entry))
        if not why:
            return None
        if gate.weakened == "look":
            return self._register.look(entry, why)
        self._project.say(f"{entry.issue}: {why}")
        return None

    def _suspicions(self, entry: Entry) -> tuple[str, ...]:
        project = self._project
        gate = project.config.gate
        named = {word for check in gate.checks for word in check.run if "." in word or "/" in word}
        watch = Watch(gate.tests, (*gate.protected, *(word for word in named if not word.startswith(("/", "-")))))
        wanted = ("diff", "--unified=0", "--no-renames", "--no-prefix", "--no-ext-diff", "--no-textconv")
        span = f"refs/heads/{project.base}...{entry.tip}"
        return suspicions(read_diff(git(project.repository.root, *wanted, span, read=True).text), watch)

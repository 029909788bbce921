"""The first look at an entry, before it costs a gate, and again whenever the base branch has moved.

It may have landed already (a coordinator was killed between moving the branch and writing it down), its claim may
have ended, or it conflicts with the base branch: then the author gets both sides named, and the queue never resolves
anything by itself. A change that may make the gate say less is shown to a person first, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from analyzer.globs import escape
from coordinator.bootstrap import Project
from coordinator.gate.evidence import outline
from coordinator.guard import landing as guard
from coordinator.merging import queue
from coordinator.merging.land import Merged, build, landing_of, rivals_of
from coordinator.merging.order import Entry
from coordinator.merging.register import Register
from coordinator.merging.rewritten import Dropped
from coordinator.merging.rulings import Ruling
from coordinator.merging.stack import Support, below, lands_after, lost, shown
from coordinator.merging.tamper import Watch, read_diff, suspicions
from coordinator.tasks.lifecycle import Outcome
from resources.system.commits import reaches
from resources.system.crossing import merge_onto, own_fork
from resources.system.errors import Failure
from resources.system.git import Merge, git, merge_trees


class Examiner:
    """Looks at entries, each once for every commit of the base branch."""

    def __init__(self, project: Project, register: Register, dropped: Dropped, title: Callable[[str], str]) -> None:
        self._project = project
        self._dropped = dropped
        self._title = title
        self.stacked: Mapping[int, tuple[Support, ...]] = {}
        """What each stacked entry stands on now."""
        self._register = register
        self._seen: set[tuple[int, str]] = set()
        self._merges: dict[tuple[str, str], Merge] = {}
        self._shown: set[int] = set()

    def foresee(self, entries: Sequence[Entry], base: str) -> None:
        """Merge at once, by one process, what is going to be looked at for the first time on this commit."""
        new = [one for one in entries if (one.id, base) not in self._seen and one.id not in self.stacked]
        root = self._project.repository.root
        pairs = [(base, one.tip) for one in new if (base, one.tip) not in self._merges]
        pairs = [pair for pair in pairs if not own_fork(root, *pair).made]
        if len(pairs) < 2:
            return
        with suppress(Failure):  # one of them cannot be merged at all: each is asked for by itself
            found = merge_trees(root, pairs)
            self._merges = dict(zip(pairs, found, strict=False))

    def look(self, entry: Entry, base: str) -> list[Ruling] | None:
        """The rulings on the entry; None when there is nothing to say and it may be tried."""
        supports = self.stacked.get(entry.id, ())
        if why := lost(supports):
            return self._register.bounced(entry, Ruling(entry.issue, Outcome.UNFOUNDED, why))
        if why := shown(supports):
            return self._register.look(entry, why)
        return None if (entry.id, base) in self._seen else self._look(entry, base, supports)

    def _look(self, entry: Entry, base: str, supports: Sequence[Support]) -> list[Ruling] | None:
        there = reaches(self._project.repository.root, base, entry.tip)
        merged = landing_of(self._project.repository, self._project.base, entry.tip) if there else None
        if merged is not None:
            return self._register.landed([Merged(entry, base, merged)])
        if not self._register.is_claimed(entry):
            self._register.withdraw(entry)
            return []
        if (back := self._dropped.carried(base, entry.tip)) and not entry.approved:
            return self._brings_back(entry, back)
        return self._merged(entry, base, self._ground(supports, base))

    def _brings_back(self, entry: Entry, dropped: str) -> list[Ruling]:
        """An attempt is begun anew; who queued the work by hand, or let go of it, is asked whether he means it."""
        why = f"it would bring back {dropped[:10]}, which was taken off {self._project.base}"
        if not entry.fence:
            return self._register.look(entry, why)
        return self._register.bounced(entry, Ruling(entry.issue, Outcome.UNFOUNDED, why))

    def _merged(self, entry: Entry, base: str, onto: str) -> list[Ruling] | None:
        if not onto:
            return None  # something below it is not in the queue, and so the planner does not try it either
        merge = self._merges.pop((onto, entry.tip), None) or merge_onto(self._project.repository.root, onto, entry.tip)
        if not merge.clean:
            return self._conflict(entry, onto, merge.conflicts)
        part = Merged(entry, onto, merge.tree)
        found = self.trespass(part)
        if found is None:
            found = self.objection(part)
        if found is None:
            self._seen = {(number, tip) for number, tip in self._seen if tip == base} | {(entry.id, base)}
        return found

    def _ground(self, supports: Sequence[Support], base: str) -> str:
        """The commit that an entry would be merged into: below stacked work lies what lands first. "" if unknown."""
        on = {number: lands_after(found) for number, found in self.stacked.items()}
        numbers = dict.fromkeys(one for direct in lands_after(supports) for one in (*below(direct, on), direct))
        if not numbers:
            return base
        with self._project.ledger.read() as snapshot:
            entries = {entry.id: entry for entry in queue.waiting(snapshot)}
        if not numbers.keys() <= entries.keys():
            return ""
        return build(self._project.repository, base, [entries[one] for one in numbers], self._title).commit

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

    def objection(self, part: Merged) -> list[Ruling] | None:
        """Show an entry that may make the gate say less to a person, once; None when it does not."""
        entry, gate = part.entry, self._project.config.gate
        if entry.approved or gate.weakened == "off" or entry.id in self._shown:
            return None
        why = "; ".join(self._suspicions(part))
        self._shown.add(entry.id)
        if not why:
            return None
        if gate.weakened == "look":
            return self._register.look(entry, why)
        self._project.say(f"{entry.issue}: {why}")
        return None

    def _suspicions(self, part: Merged) -> tuple[str, ...]:
        project = self._project
        gate = project.config.gate
        # File names, not patterns: a line of shell is neither, and matches nothing.
        named = {escape(word) for check in gate.checks for word in check.run if "." in word or "/" in word}
        watch = Watch(gate.tests, (*gate.protected, *(word for word in named if not word.startswith(("/", "-")))))
        wanted = ("diff", "--unified=0", "--no-renames", "--no-prefix", "--no-ext-diff", "--no-textconv")
        return suspicions(
            read_diff(git(project.repository.root, *wanted, part.onto, part.commit, read=True).text), watch
        )

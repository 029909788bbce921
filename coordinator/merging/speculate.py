"""Which trials are worth a worker: best-first speculation over the graph of changes that meet; pure.

A change is judged under an assumption about each change that it meets and that is before it: in, or out. A *future*
is one such assumption; the probability that it comes true is the probability that its trial is needed. The most
probable futures are tried first, none below `NEEDED` (workers that stay idle cost less than the trials that would
keep a needed one waiting), and nothing that runs is interrupted for something better.

What was seen red is never tried again: a set that contains a red set is taken to be red, which also says that not
all members of a red set pass, so that each of them is less likely to (`belief.suspect`).

This is the shape of SubmitQueue (Ananthanarayanan et al., EuroSys 2019) with an average in place of a predictor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coordinator.merging.belief import group_size, suspect
from coordinator.merging.changes import Mode, Queue, Start
from coordinator.merging.graph import Graph, places

NEEDED = 0.2
"""The least probability of being needed with which a trial is begun."""

SURE = 0.93
"""From this chance on several workers try groups as well, when many wait."""

Future = tuple[int, float]
"""The places that are assumed to be in, and the probability of it."""


@dataclass(frozen=True)
class Known:
    """What is known about sets of places: `red` and `green` ones, and those that are being `tried`."""

    red: tuple[int, ...]
    green: tuple[int, ...]
    tried: tuple[tuple[int, int], ...]
    """Each with those of them that it was begun for."""
    settled: int = 0
    """Places whose verdict is in (they wait to be landed with others)."""

    @classmethod
    def of(cls, graph: Graph, settled: int = 0) -> Known:
        """What the trials tell; a red one about only some of its members tells nothing."""
        told = [one for one in graph.told if one.holds and not one.trial.whole]
        return cls(
            red=tuple(one.members for one in told if one.trial.passed is False and one.holds == one.members),
            green=tuple(one.members for one in told if one.trial.passed is True),
            tried=tuple((one.members, one.about) for one in told if one.trial.passed is None),
            settled=settled,
        )

    @property
    def touched(self) -> int:
        """Every place about which something is known."""
        mask = self.settled
        for one in (*self.red, *self.green):
            mask |= one
        return mask


class Speculation:
    """The futures of one queue at one moment."""

    def __init__(self, queue: Queue, graph: Graph, known: Known) -> None:
        self._queue = queue
        self._graph = graph
        self._known = known
        self._size = self._group()

    def best(self, count: int) -> tuple[Start, ...]:
        """The `count` trials that are needed most, best first."""
        if count <= 0:
            return ()
        found: list[tuple[float, int, int]] = []
        clear = ~self._known.touched
        top = max(self._queue.chance, 1 - self._queue.chance)
        covered: set[tuple[int, int]] = set()
        for place in range(len(self._graph.ids)):
            if self._skipped(place):
                continue
            bar = NEEDED if len(found) < count else max(NEEDED, found[count - 1][0])
            surprises = (self._graph.rivals[place] & clear).bit_count()
            if top**surprises < bar:
                continue
            for inside, needed in self._futures(place):
                if needed >= bar and self._is_news(place, inside) and (place, inside) not in covered:
                    members = self._grown(place, inside)
                    about = places(members >> place << place)
                    covered.update((one, members & self._graph.rivals[one]) for one in about)
                    found.append((needed, place, members))
            found.sort(key=lambda one: (-one[0], one[1]))
        return tuple(
            Start(self._graph.members(members), (members >> place).bit_count(), needed=needed)
            for needed, place, members in found[:count]
        )

    def needed(self, members: int, about: int) -> float:
        """The chance that a trial of `members`, begun for those `about`, is used as things stand; 0 below `NEEDED`."""
        if not about:
            return 0.0
        place = next(places(about))
        inside = members & self._graph.rivals[place]
        return next((chance for found, chance in self._futures(place) if found == inside), 0.0)

    def _skipped(self, place: int) -> bool:
        return bool((self._graph.orphans | self._known.settled) >> place & 1)

    def _group(self) -> int:
        queue = self._queue
        crowd = len(queue.waiting) > 2 * queue.workers
        many = queue.chance >= SURE and crowd and (queue.mode is not Mode.EXACT or queue.workers == 2)
        return group_size(queue.chance) if queue.workers == 1 or many else 1

    def _futures(self, place: int) -> Iterator[Future]:
        graph = self._graph
        futures: list[Future] = [(0, 1.0)]
        for rival in places(graph.rivals[place]):
            must = bool(graph.parents[place] >> rival & 1)
            futures = [
                future
                for inside, chance in futures
                for future in self._either(rival, inside, chance, must)
                if future[1] >= NEEDED
            ]
            if not futures:
                return
        for inside, chance in futures:
            if not inside & graph.clashes[place] and not self._is_red(inside | 1 << place):
                yield inside, chance

    def _either(self, rival: int, inside: int, chance: float, must: bool) -> list[Future]:
        passes = self._passes(rival, inside)
        futures = [(inside | 1 << rival, chance * passes)]
        return futures if must else [*futures, (inside, chance * (1 - passes))]

    def _passes(self, place: int, inside: int) -> float:
        """The chance that `place` gets in when `inside` does."""
        graph, known, bit = self._graph, self._known, 1 << place
        if known.settled & bit:
            return 1.0
        if inside & graph.clashes[place] or graph.orphans & bit or graph.parents[place] & (bit - 1) & ~inside:
            return 0.0
        rivals = graph.rivals[place]
        if any(green & bit and green & rivals == inside & rivals for green in known.green):
            return 1.0
        passes = self._queue.chance
        before = bit - 1
        for red in known.red:
            if red & bit and not (red & before) & ~inside:
                passes = min(passes, suspect(self._queue.chance, (red & ~before).bit_count()))
        return passes

    def _is_red(self, members: int) -> bool:
        return any(not red & ~members for red in self._known.red)

    def _is_news(self, place: int, inside: int) -> bool:
        # A green trial with others that are behind and met says nothing about the change without them.
        bit, rivals, meets = 1 << place, self._graph.rivals[place], self._graph.meets[place]
        tried = any(about & bit and members & rivals == inside for members, about in self._known.tried)
        return not tried and not any(members & bit and members & meets == inside for members in self._known.green)

    def _grown(self, place: int, inside: int) -> int:
        """The members of a trial of `place`: with others behind it when groups pay, half of a red group at most."""
        graph, members = self._graph, inside | 1 << place
        size, allowed = self._size, ~0
        for red in self._known.red:
            if red >> place & 1 and not red & ((1 << place) - 1) & ~inside:
                size, allowed = min(size, max(1, red.bit_count() // 2)), allowed & red
        for other in range(place + 1, len(graph.ids)):
            if size <= 1:
                break
            if allowed >> other & 1 and not self._skipped(other) and self._fits(other, members):
                members |= 1 << other
                size -= 1
        return members

    def _fits(self, other: int, members: int) -> bool:
        graph = self._graph
        if graph.clashes[other] & members or graph.rivals[other] & ~members:
            return False
        return not self._is_red(members | 1 << other)

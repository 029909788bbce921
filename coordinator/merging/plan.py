"""The queue's next step: one pure function from everything that is known to what is to be done.

It is asked again at every event and remembers nothing, so that after a crash the same facts give the same step.

What lands, by mode. `exact`: the members of a green trial, together, when all before them are among them: the base
branch then stands on the tree that was tried. `lanes`: the same, where only changes that meet count as before and
beside. `lanes+confirm`: what would land in `lanes` is only *settled*; one trial of all settled changes on the tip
then lands them, and is halved when it is red. With fewer than three workers there is nobody to spare for that, and
this mode works as `exact`, which is stricter.

What bounces: the one change that a red trial can be blamed on, because everything else in it has landed or passed
without it. A change is never blamed for others.
"""

from __future__ import annotations

from dataclasses import replace

from coordinator.merging.changes import Bounce, Land, Mode, Queue, Start, Step
from coordinator.merging.graph import Graph, Told, make_graph, places
from coordinator.merging.speculate import Known, Speculation

SPARE = 3
"""The least number of workers with which one of them is spared for confirming."""

CONFIRMING = 4
"""One in so many workers confirms before any judges more."""


def plan(queue: Queue) -> Step:
    """What to do now; nothing is started in a step in which something lands or bounces."""
    queue = _as_judged(queue)
    graph = make_graph(queue)
    settled = _settled(graph) if queue.mode is Mode.CONFIRM else 0
    step = _confirmed(graph, settled) if queue.mode is Mode.CONFIRM else _landable(graph)
    if not step.land:
        step = replace(step, bounce=(*step.bounce, *_blamed(graph, settled)))
    if step.land or step.bounce:
        return step
    known = Known.of(graph, settled)
    stop = _useless(graph, known, settled)
    running = sum(1 for one in graph.told if one.trial.passed is None and one.trial.id not in stop)
    start = _starts(queue, graph, known, queue.workers - running)
    return Step(stop=stop, start=start)


def needed(queue: Queue) -> dict[int, float]:
    """Trial -> the chance that its verdict is used, as things stand; 0 when that is hardly likely.

    For those that run, and for green ones that still tell what they told; these only wait for others.
    """
    queue = _as_judged(queue)
    graph = make_graph(queue)
    settled = _settled(graph) if queue.mode is Mode.CONFIRM else 0
    speculation = Speculation(queue, graph, Known.of(graph, settled))
    found = {told.trial.id: 1.0 for told in graph.told if told.trial.passed and told.members == told.holds != 0}
    for told in graph.told:
        if told.trial.passed is None:
            chance = speculation.needed(told.members, told.about)
            found[told.trial.id] = 1.0 if told.trial.whole else chance
    return found


def _as_judged(queue: Queue) -> Queue:
    if queue.mode is Mode.CONFIRM and queue.workers < SPARE:
        return replace(queue, mode=Mode.EXACT)
    return queue


def _together(graph: Graph, told: Told, settled: int = 0) -> int:
    """The members of a green trial that may be taken as passed, given those that are settled."""
    passed = told.holds
    while True:
        before = passed
        for place in places(passed):
            beside = graph.meets[place] & told.members
            if graph.rivals[place] & ~told.members or (graph.rivals[place] | beside) & ~(passed | settled):
                passed &= ~(1 << place)
        if passed == before:
            return passed


def _settled(graph: Graph) -> int:
    settled, before = 0, -1
    greens = [told for told in graph.told if told.trial.passed and not told.trial.whole]
    while settled != before:
        before = settled
        for told in greens:
            settled |= _together(graph, told, settled)
    return settled


def _landable(graph: Graph) -> Step:
    for told in graph.told:
        if told.trial.passed and (members := _together(graph, told)):
            return Step(land=(Land(graph.members(members), told.trial.id),))
    return Step()


def _confirmed(graph: Graph, settled: int) -> Step:
    for told in _whole(graph):
        if told.trial.passed and told.members and not told.members & ~settled:
            return Step(land=(Land(graph.members(told.members), told.trial.id),))
    for told in _whole(graph):
        if told.trial.passed is False and told.members.bit_count() == 1:
            return Step(bounce=(Bounce(graph.members(told.members)[0], told.trial.id),))
    return Step()


def _whole(graph: Graph) -> list[Told]:
    return [told for told in graph.told if told.trial.whole and told.exact]


def _blamed(graph: Graph, settled: int) -> tuple[Bounce, ...]:
    found: dict[int, int] = {}
    for told in graph.told:
        suspects = told.members & ~settled
        if told.trial.passed is not False or told.trial.whole or suspects.bit_count() != 1 or not suspects & told.holds:
            continue
        place = suspects.bit_length() - 1
        if not graph.rivals[place] & ~(settled & told.members):
            found.setdefault(graph.ids[place], told.trial.id)
    return tuple(Bounce(change, trial) for change, trial in found.items())


def _useless(graph: Graph, known: Known, settled: int) -> tuple[int, ...]:
    """Trials that run and cannot tell anything any more."""
    return tuple(
        told.trial.id
        for told in graph.told
        if told.trial.passed is None
        and (_is_moot(graph, told, known) or (not told.trial.whole and not told.members & ~settled))
    )


def _is_moot(graph: Graph, told: Told, known: Known) -> bool:
    if not told.members:
        return True
    if told.trial.whole:
        return not told.exact or any(not red & ~told.members for red in _red_wholes(graph))
    last = 1 << (told.members.bit_length() - 1)
    return not told.holds & last or any(not red & ~told.members for red in known.red)


def _starts(queue: Queue, graph: Graph, known: Known, free: int) -> tuple[Start, ...]:
    if free <= 0:
        return ()
    if queue.mode is not Mode.CONFIRM:
        return Speculation(queue, graph, known).best(free)
    confirm = _confirmation(graph, known, max(1, queue.workers // CONFIRMING))
    judge = Speculation(queue, graph, known).best(free - len(confirm))
    # A worker that would stay idle confirms, however many do.
    spare = () if confirm or len(judge) == free else _confirmation(graph, known, queue.workers)
    return (*confirm, *judge, *spare)


def _red_wholes(graph: Graph) -> list[int]:
    return [told.members for told in _whole(graph) if told.trial.passed is False]


def _confirmation(graph: Graph, known: Known, most: int) -> tuple[Start, ...]:
    settled = known.settled
    reds = [red for red in _red_wholes(graph) if not red & ~settled]
    if reds:
        red = list(places(min(reds, key=int.bit_count)))
        settled = sum(1 << place for place in red[: max(1, len(red) // 2)])
    running = [told.members for told in _whole(graph) if told.trial.passed is None and not _is_moot(graph, told, known)]
    # The next one is begun before the last one has ended, and contains it: confirming hardly ever fails.
    if len(running) >= most or not settled or any(not settled & ~one for one in running):
        return ()
    return (Start(graph.members(settled), whole=True),)

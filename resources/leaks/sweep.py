"""One pass over the leaks, in two looks.

The first sighting of a leak only stamps it *condemned*. A later pass takes it back when it was condemned
`condemned_seconds` ago and a second look, taken right before acting, still sees it. A thing that is seen healthy
again is pardoned. `now` skips the wait, never the second look. An incomplete inventory ends the pass: nothing is
stamped, pardoned or taken back, because then absence proves nothing.

The same pass serves the command, the daemon and the coordinator's clean-up; two at once do no harm, since every
way of taking back guards itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from resources.leaks.detect import Inventory, Leak, detect, due
from resources.leaks.inventory import read_held, take_inventory
from resources.leaks.outcome import Outcome
from resources.leaks.reclaim import reclaim
from resources.monitor.watched import Watched
from resources.system.clock import wall


@dataclass(frozen=True)
class Report:
    """What a pass saw and did. `leaks` are those seen; `done` tells what became of those it tried to take back."""

    complete: bool
    why: str
    leaks: tuple[Leak, ...]
    done: tuple[tuple[Leak, Outcome], ...] = ()

    @property
    def left(self) -> tuple[Leak, ...]:
        """The leaks that are still there after the pass."""
        gone = {leak.key for leak, outcome in self.done if outcome.settled}
        return tuple(leak for leak in self.leaks if leak.key not in gone)


def sweep(watched: Watched, *, act: bool = False, now: bool = False) -> Report:
    """One pass; without `act` it only stamps and pardons. Raises Failure when the ledger does not answer."""
    inventory = take_inventory(watched)
    leaks = detect(inventory, read_held(watched), wall())
    if not inventory.complete:
        return Report(False, inventory.why, leaks)
    leaks = _stamp(watched, inventory, leaks)
    wait = 0.0 if now else float(watched.settings.limits.condemned_seconds)
    ready = [leak for leak in leaks if due(leak, wall(), wait)]
    if not act or not ready:
        return Report(True, "", leaks)
    again = take_inventory(watched)
    if not again.complete:
        return Report(False, again.why, leaks)
    still = {leak.key: leak for leak in detect(again, read_held(watched), wall())}
    done = reclaim(watched, [still[leak.key] for leak in ready if leak.key in still])
    _record(watched, done)
    return Report(True, "", leaks, tuple(done))


def _stamp(watched: Watched, inventory: Inventory, leaks: Sequence[Leak]) -> tuple[Leak, ...]:
    held = read_held(watched).condemned
    seen = {leak.key for leak in leaks}
    fresh = [leak for leak in leaks if leak.key not in held]
    healthy = [key for key in held if key not in seen and key[0] not in inventory.unseen]
    if not fresh and not healthy:
        return tuple(leaks)
    at = wall()
    with watched.ledger.write() as tx:
        for leak in fresh:
            tx.change("condemn", kind=leak.kind, name=leak.name, since_at=at)
            tx.event("leak.condemned", leak=leak.kind, name=leak.name, why=leak.why)
        for kind, name in healthy:
            tx.change("pardon", kind=kind, name=name)
            tx.event("leak.pardoned", leak=kind, name=name)
    return tuple(leak if leak.condemned_at is not None else replace(leak, condemned_at=at) for leak in leaks)


def _record(watched: Watched, done: Iterable[tuple[Leak, Outcome]]) -> None:
    with watched.ledger.write() as tx:
        for leak, outcome in done:
            # What was tried in vain is condemned anew at the next sighting, so it is tried again one wait later.
            tx.change("pardon", kind=leak.kind, name=leak.name)
            tx.event("leak.reaped", leak=leak.kind, name=leak.name, result=outcome.result, note=outcome.note)

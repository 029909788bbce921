"""What becomes of a task: one pure function from an outcome to the next step.

    waiting ──> working ──> judging ──> landed
       ^           │           │
       │         failed   red or conflict
       │           v           v
       └──────── retry <───────┘        after the last attempt: handed_off

An attempt can end in three ways that ask for another one, and they differ in what would make it go
better. *Red*: the gate refused the work; its author may mend it at once, in the same slot, with the
evidence in hand. *Conflict* and *failed*: the same base would give the same end, so the next attempt
waits until the base branch has moved and starts afresh there (retries on a stale base fail identically,
`docs/decisions/0004`) in something that the issue touches; in every file, where the attempt said on which ones it
failed. When nothing else is under way that could move it, waiting is pointless: the attempt is made at once, or, when
it is known where the last one failed, not at all.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from coordinator.tasks.handoffs import Handoff


class Outcome(StrEnum):
    """How an attempt ended, as the coordinator judges it."""

    LANDED = "landed"
    RED = "red"
    CONFLICT = "conflict"
    FAILED = "failed"
    STUCK = "no progress"
    """Refused again for the same reason, and the work has not changed since."""
    STOPPED = "stopped"
    """Taken back by a person or by a shut-down; no attempt is used up."""
    LOOK = "look"
    """The work may make the gate say less: a person must look at it before it is judged."""
    RESOLVED = "resolved"
    """Its agent has shown that no change is needed."""
    DOUBTED = "to be confirmed"
    """The same, and the configuration wants a person to look."""
    UNFOUNDED = "unfounded"
    """What the work stands on will not land; no attempt is used up."""
    CLOSED = "closed"
    """Somebody closed the issue in the tracker."""


class Next(StrEnum):
    """What the coordinator does with the task."""

    FINISH = "finish"
    """Close the issue that has landed, give the slot back."""
    CLOSE = "close"
    """Close the issue without a change, give the slot back."""
    RESUME = "resume"
    """Start the next attempt in the same slot, with the evidence."""
    RETRY = "retry"
    """Save the work, give the slot back, try again from a fresh base."""
    HAND_OFF = "hand_off"
    """Save the work and leave it to a person with what was tried."""
    RELEASE = "release"
    """Save the work, give the slot back, leave the issue open."""
    PARK = "park"
    """Give the slot back and let the finished work wait in the queue by itself."""
    BEGIN_ANEW = "begin_anew"
    """Save the work, give the slot back, start as if for the first time once the dependencies allow it."""
    FREE = "free"
    """Save the work, give the slot back, leave the issue as it is."""


AT_ONCE = {
    Outcome.LANDED: Next.FINISH,
    Outcome.RESOLVED: Next.CLOSE,
    Outcome.STOPPED: Next.RELEASE,
    Outcome.CLOSED: Next.FREE,
    Outcome.LOOK: Next.PARK,
    Outcome.UNFOUNDED: Next.BEGIN_ANEW,
}
"""What follows whatever the number of the attempt."""


@dataclass(frozen=True)
class Step:
    """The decision and the sentence that explains it."""

    next: Next
    why: str


def decide(outcome: Outcome, attempt: int, attempts: int, why: str) -> Step:
    """What follows attempt number `attempt` of `attempts` that ended with `outcome` because of `why`."""
    if outcome in AT_ONCE:
        return Step(AT_ONCE[outcome], "landed" if outcome is Outcome.LANDED else why)
    if outcome is Outcome.DOUBTED:
        return Step(Next.HAND_OFF, f"its agent says that no change is needed, a person confirms it: {why}")
    if attempt >= attempts or outcome is Outcome.STUCK:
        return Step(Next.HAND_OFF, f"{outcome} on attempt {attempt} of {attempts}: {why}")
    if outcome is Outcome.RED:
        return Step(Next.RESUME, f"attempt {attempt} of {attempts} was red: {why}")
    return Step(Next.RETRY, f"attempt {attempt} of {attempts}, {outcome}: {why}")


def no_progress(earlier: Sequence[Handoff], attempt: int, tree: str, why: str) -> bool:
    """Whether attempt number `attempt` left the tree of the one before it, refused for the same reason.

    A tree that is not known ("") tells nothing; nor does what was left before the issue was taken up anew.
    """
    if not earlier or not tree:
        return False
    last = earlier[-1]
    return (last.attempt, last.tree, last.why) == (attempt - 1, tree, why)


def may_retry(landed: Sequence[Set[str]], trouble: Set[str], others_under_way: bool, *, stated: bool = False) -> bool:
    """Whether a task that waits for another attempt may start.

    `landed` are the paths of each landing since that attempt, `trouble` those that it failed on (empty: unknown, then
    any landing counts). One landing there is enough: who of several goes first is for `elders` to say. When its agent
    `stated` them, each must have changed: on one that is as it was it would fail again, whatever else is under way.
    """
    if stated and trouble:
        return trouble <= frozenset[str]().union(*landed)
    return any(not trouble or not trouble.isdisjoint(paths) for paths in landed) or not others_under_way


@dataclass(frozen=True)
class Setback:
    """The paths on which an attempt failed (empty: unknown).

    `stated`: its agent said so, and on the same ground it would fail again; else it met somebody there.
    """

    paths: frozenset[str]
    stated: bool = False

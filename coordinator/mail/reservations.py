"""Paths held with a term: exclusive or shared, refused with the holder's name and the expiry.

A reservation is a lease on path patterns. Two of them clash when their patterns can match a common
path (exactly decided, with that path as witness) and at least one is exclusive; where the file system takes names of
any case for one, their keys are compared (`analyzer.casing`). The check and the
insertion happen in one write transaction, so two agents cannot both win. The coordinator renews the
reservations of its running agents; what is not renewed ends by itself after `TTL`. A *predicted* reservation was
guessed, nobody asked for it: it keeps work from being started side by side, and gives way to work that is under way
(`coordinator.guard.rule`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.casing import pattern_key
from analyzer.globs import intersect, normalise
from resources.state.leases import Owner, owner_is_dead
from resources.state.store import Row, Snapshot, Transaction
from resources.system.clock import boot_id, boot_seconds, iso, wall
from resources.system.errors import NotNow

TTL = 3600.0
"""Seconds; the term that the brief asks for."""

FOLDS = "folds_case"
"""What the ledger calls it that the file system takes names of any case for one."""

BY_HAND_TTL = 7 * 24 * 3600.0
"""Seconds; for what a person was given, whom nobody renews. It ends earlier when the slot is given back."""


@dataclass(frozen=True)
class Reservation:
    """One pattern held by an agent for an issue. `expires_at` is wall-clock, `expires` boot-clock seconds."""

    id: int
    agent: str
    issue: str
    pattern: str
    shared: bool
    predicted: bool
    why: str
    owner: Owner
    taken_at: float
    expires_at: float
    expires: float

    @classmethod
    def of(cls, row: Row) -> Reservation:
        """From a row of the ledger."""
        return cls(
            row["id"], row["agent"], row["issue"], row["pattern"], bool(row["shared"]), bool(row["predicted"]),
            row["why"], Owner.of(row["owner"]), row["taken_at"], row["expires_at"], row["expires"],
        )  # fmt: skip

    @property
    def is_over(self) -> bool:
        """Whether the term has ended on this boot's clock."""
        return self.owner.boot == boot_id() and self.expires < boot_seconds()


@dataclass(frozen=True)
class Clash:
    """A wanted pattern, the reservation in its way, and a path that both match."""

    wanted: str
    held: Reservation
    witness: str


def live(snapshot: Snapshot) -> list[Reservation]:
    """What is held now, oldest first."""
    return [one for one in map(Reservation.of, snapshot.all("reservations-live")) if not one.is_over]


def folds_case(snapshot: Snapshot) -> bool:
    """Whether names that differ in case alone are one file in this repository, as `init` noted."""
    row = snapshot.one("meta-get", key=FOLDS)
    return row is not None and row["value"] == "1"


def common_path(a: str, b: str, folds: bool) -> str | None:
    """A path that both patterns match, None when there is none; its key where names of any case are one file."""
    return intersect(pattern_key(a), pattern_key(b)) if folds else intersect(a, b)


def _clashes(
    held: Iterable[Reservation], patterns: Sequence[str], agent: str, *, shared: bool, folds: bool
) -> Iterator[Clash]:
    """What is held by others that a new reservation on `patterns` would clash with; see `clash_for`."""
    for reservation in held:
        if reservation.agent == agent or (shared and reservation.shared):
            continue
        for pattern in patterns:
            witness = common_path(pattern, reservation.pattern, folds)
            if witness is not None:
                yield Clash(pattern, reservation, witness)


def clash_for(
    snapshot: Snapshot, patterns: Sequence[str], agent: str, *, shared: bool, over_guesses: bool = False
) -> Clash | None:
    """What stands in the way of reserving `patterns` now, None when nothing does.

    With `over_guesses` predicted ones do not count.
    """
    wanted = [normalise(pattern) for pattern in patterns]
    counting = (one for one in live(snapshot) if not (over_guesses and one.predicted))
    found = _clashes(counting, wanted, agent, shared=shared, folds=folds_case(snapshot))
    # Whether an owner lives is asked of the kernel while everybody waits for the ledger: so only where it counts.
    return next((clash for clash in found if not owner_is_dead(clash.held.owner)), None)


def reserve(  # noqa: PLR0913 - each is a fact of the reservation
    tx: Transaction,
    patterns: Sequence[str],
    *,
    agent: str,
    issue: str,
    why: str,
    shared: bool = False,
    predicted: bool = False,
    ttl: float = TTL,
    owner: Owner | None = None,
    over_guesses: bool = False,
) -> list[int]:
    """Hold `patterns` for `agent`; `owner` answers for it (default: this process), predicted ones of others are no
    hindrance with `over_guesses`.

    Raises NotNow("reserved") naming holder, witness and expiry; then nothing is held.
    """
    wanted = [normalise(pattern) for pattern in patterns]
    if not wanted:
        return []
    clash = clash_for(tx, wanted, agent, shared=shared, over_guesses=over_guesses)
    if clash is not None:
        raise refusal(clash)
    answers, now = owner or Owner.here(), wall()
    values = {
        "agent": agent, "issue": issue, "shared": int(shared), "predicted": int(predicted), "why": why,
        "owner": answers.to_json(),
        "taken_at": now, "expires_at": now + ttl, "expires": boot_seconds() + ttl,
    }  # fmt: skip
    for pattern in wanted:
        tx.change("reservation-insert", pattern=pattern, **values)
    tx.event("paths.reserved", issue=issue, agent=agent, patterns=wanted, shared=shared)
    newest = [row["id"] for row in tx.all("reservations-of", agent=agent, issue=issue)]
    return newest[-len(wanted) :]


def refusal(clash: Clash) -> NotNow:
    """The error that tells who is in the way."""
    held = clash.held
    return NotNow(
        "reserved",
        f"{clash.wanted} is reserved: {held.agent} holds {held.pattern} for {held.issue} until {iso(held.expires_at)}",
        why=f"both match {clash.witness}",
        mend=f"wait until {held.issue or held.agent} is done; agent-coord reserve list shows who holds what",
    )


def renew(tx: Transaction, agent: str, issue: str, *, ttl: float = TTL) -> None:
    """Extend what a living agent holds for an issue."""
    tx.change("reservations-renew", agent=agent, issue=issue, expires=boot_seconds() + ttl, expires_at=wall() + ttl)


def entrust(tx: Transaction, issue: str) -> None:
    """Let what is held for an issue answer to no process, as its claim does when it was given by hand."""
    until = {"expires": boot_seconds() + BY_HAND_TTL, "expires_at": wall() + BY_HAND_TTL}
    tx.change("reservations-entrust", issue=issue, owner=Owner.timed().to_json(), **until)


def inherit(tx: Transaction, issue: str, *, ttl: float = TTL) -> None:
    """Let what is held for an issue answer to this process: its coordinator is dead, its agent is not."""
    until = {"expires": boot_seconds() + ttl, "expires_at": wall() + ttl}
    tx.change("reservations-entrust", issue=issue, owner=Owner.here().to_json(), **until)


def release_issue(tx: Transaction, issue: str) -> int:
    """Give back everything held for an issue; returns how many patterns that were."""
    count = tx.change("reservations-release-issue", issue=issue, now_at=wall())
    if count:
        tx.event("paths.released", issue=issue, count=count)
    return count


def release(tx: Transaction, ids: Sequence[int]) -> int:
    """Give back single reservations; returns how many were still held."""
    return sum(tx.change("reservation-release", id=one, now_at=wall()) for one in ids)

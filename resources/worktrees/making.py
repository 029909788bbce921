"""Slots made and taken down.

A row in state `making` stands before the first file, so a crash leaves a trace that `repair` follows. What does
not depend on the ledger runs in threads, one slot each: registration (under the registry's lock), checkout,
copied files, the set-up command. Databases are made one after the other: they are clones of one template.
Whatever is not finished when this ends, for whatever reason, is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from resources.system.errors import Failure, NotNow
from resources.system.git import tracked_files
from resources.worktrees import sparse
from resources.worktrees.checkout import detach, slot_git, stop_children_in, telling_disk_full
from resources.worktrees.copies import copy_into, find_copies
from resources.worktrees.registry import open_registry, register, remove
from resources.worktrees.returning import restore
from resources.worktrees.setup import require_approved, set_up
from resources.worktrees.slots import Slot, to_remove
from resources.worktrees.view import SPARSE_INDEX_ABOVE, View, resolve
from resources.worktrees.yard import Yard

_THREADS = 4


def grow(yard: Yard, count: int, purpose: str) -> list[Slot]:
    """Make up to `count` slots, as many as the maximum allows; returns those that are ready.

    Raises NotNow("pool-at-maximum") when there is room for none, Failure when one could not be made: it is taken
    back, its finished siblings stay.
    """
    with yard.pool_lock():
        room = yard.settings.maximum - len(yard.records.slots(purpose))
        if count > 0 and room <= 0:
            raise NotNow(
                "pool-at-maximum",
                f"the pool has its {yard.settings.maximum} {purpose} slots",
                mend="release a slot, or raise [pool] maximum in .agent-worktrees/config.toml",
            )
        base = yard.base()
        require_approved(yard.records, yard.settings)
        if yard.databases is not None:
            # A server that cannot be had is found out before anything has to be taken back.
            yard.databases.start()
        open_registry(yard.repository, yard.folder)
        slots = yard.announce(purpose, min(count, room))
        made = build(yard, slots, base)
    yard.stock_up()
    return made


def build(yard: Yard, slots: Sequence[Slot], base: str) -> list[Slot]:
    """Make the announced slots ready; the caller holds the pool lock. Raises the first Failure after the others end."""
    ready: list[Slot] = []
    try:
        failures = _prepare(yard, slots, base)
        for slot in slots:
            if slot.name not in failures and yard.records.move(slot, "making", "idle"):
                ready.append(yard.records.slot(slot.name) or slot)
    finally:
        for slot in slots:
            if slot.name not in {one.name for one in ready}:
                take_back(yard, slot)
    for slot in ready:
        yard.log(f"{slot.name} is ready at {slot.path}")
    for failure in failures.values():
        raise failure
    return ready


def _prepare(yard: Yard, slots: Sequence[Slot], base: str) -> dict[str, Failure]:
    copies = find_copies(yard.repository.root, yard.settings.copy, yard.folder)
    view = _first_view(yard, base)
    failures = _each(slots, partial(_check_out, yard, base, view, copies))
    for slot in slots:
        if slot.name not in failures:
            _furnish(yard, slot, base, view, failures)
    whole = [slot for slot in slots if slot.name not in failures]
    variables = {slot.name: yard.environment(slot, fence=0, issue="", agent="") for slot in whole}
    return failures | _each(whole, lambda slot: _finish(yard, slot, variables[slot.name]))


def _finish(yard: Yard, slot: Slot, variables: Mapping[str, str]) -> None:
    set_up(yard.settings.setup, yard.setup_file(slot.name), slot.path, variables)
    # Git reads a file again at every `status` while the index is not younger than it, so what the checkout wrote in
    # its last second: a fifth of the time that a status takes at 12,000 files.
    slot_git(slot.path, "update-index", "-q", "--refresh", check=False)


def take_back(yard: Yard, slot: Slot) -> None:
    """Take down a slot that nobody has worked in, with its database and its row. Repeatable."""
    remove(yard.repository, slot.path)
    if yard.databases:
        yard.databases.drop(slot.name)
    yard.setup_file(slot.name).unlink(missing_ok=True)
    yard.forget(slot)


def shrink(yard: Yard, count: int, *, floor: int, purpose: str = "work") -> list[str]:
    """Take down up to `count` idle slots, highest number first, leaving at least `floor`; returns their names.

    A slot that holds something unexpected is saved, or set aside and left standing.
    """
    gone: list[str] = []
    with yard.pool_lock():
        for slot in to_remove(yard.records.slots(purpose), count, floor):
            with yard.slot_lock(slot.name):
                if yard.records.move(slot, "idle", "making", "being taken down") and _take_down(yard, slot):
                    gone.append(slot.name)
    yard.stock_up()
    return gone


def _take_down(yard: Yard, slot: Slot) -> bool:
    refs, why = ([], "") if not slot.path.exists() else restore(yard, slot, "idle", fresh_database=False)
    for ref in refs:
        yard.log(f"what was in the idle {slot.name} is saved: {ref}")
    if why:
        yard.records.move(slot, "making", "quarantine", why)
        yard.log(f"{slot.name} stays: {why}")
        return False
    take_back(yard, slot)
    return True


def _each(slots: Sequence[Slot], action: Callable[[Slot], None]) -> dict[str, Failure]:
    """Run `action` for every slot, several at once; returns the failures by slot. Other exceptions come through."""
    failures: dict[str, Failure] = {}
    with ThreadPoolExecutor(_THREADS) as threads:
        # Each thread knows the locks that are held here, so that its git holds them too.
        running = {slot.name: threads.submit(copy_context().run, action, slot) for slot in slots}
        try:
            for name, future in running.items():
                try:
                    future.result()
                except Failure as failure:
                    failures[name] = failure
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            for slot in slots:
                stop_children_in(slot.path)
            raise
    return failures


def _first_view(yard: Yard, base: str) -> View:
    """What a slot shows until it is lent: everything, or in a large tree what every view shows.

    A tree of that size is lent by closure, and from a small view to another is a step of 40 ms, to and from the whole
    tree one of seconds. A set-up command may need anything.
    """
    settings = yard.settings
    if settings.view in ("full", "exact") or settings.setup:
        return View.full(0)
    tree = tracked_files(yard.repository.root, base)
    if len(tree) <= SPARSE_INDEX_ABOVE:
        return View.full(0)
    return resolve("closure", tree, always=settings.always)


def _check_out(yard: Yard, base: str, view: View, copies: Sequence[str], slot: Slot) -> None:
    with telling_disk_full(slot.path):
        register(yard.repository, slot.path, base, yard.settings.backend if slot.purpose == "work" else "worktree")
        sparse.show_all(slot.path)  # git hands the view of the main checkout on to a new worktree
        if view.mode == "closure":
            sparse.swap(slot.path, view)
        detach(slot.path, base)
        copy_into(yard.repository.root, slot.path, copies)


def _furnish(yard: Yard, slot: Slot, base: str, view: View, failures: dict[str, Failure]) -> None:
    try:
        database = yard.database(slot.name, slot.path)
        # A database that needed hidden migrations may have opened the whole tree.
        view = sparse.count(slot.path, view if sparse.is_sparse(slot.path) else View.full(0))
        yard.records.prepared(slot, base=base, view=view, database=database, ports=slot.ports)
    except Failure as failure:
        failures[slot.name] = failure

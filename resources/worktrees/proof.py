"""A closure proven by the project's own fast check before anybody relies on it.

Import lines miss what is loaded by name, configured or generated; a view that hides such a file makes an agent look
for a fault that is not there. With `[pool] prove_view` the check runs once for each view and tree of the base, in the
slot itself; its verdict stands in the ledger. A view that fails is given up: the slot shows everything, and says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from resources.system.clock import wall
from resources.system.git import tree_of
from resources.system.process import clean_environment, run_bounded
from resources.worktrees import sparse
from resources.worktrees.checkout import slot_git
from resources.worktrees.setup import require_approved
from resources.worktrees.slots import Slot
from resources.worktrees.view import View
from resources.worktrees.yard import Yard

PROOF_SECONDS = 300.0
"""How long the check of a view may take; longer counts as failed."""


def proven(yard: Yard, slot: Slot, view: View, base: str, variables: Mapping[str, str]) -> View:
    """The view that a clean slot shows after the check: `view`, or everything when the check fails in it."""
    argv = yard.settings.prove_view
    if not argv or view.mode == "full":
        return view
    require_approved(yard.records, yard.settings)
    key = hashlib.sha256(repr((view.mode, view.directories, view.patterns, argv)).encode()).hexdigest()
    tree, gate = tree_of(slot.path, base), f"view:{key}"
    with yard.records.ledger.read() as snapshot:
        known = snapshot.one("verdict", tree=tree, gate=gate)
    if known is None:
        done = run_bounded(argv, cwd=slot.path, env=clean_environment(variables), timeout=PROOF_SECONDS)
        slot_git(slot.path, "reset", "--quiet", "--hard", timeout=600)
        slot_git(slot.path, "clean", "-ffdq", timeout=600)
        passed, evidence = done.code == 0 and not done.timed_out, done.complaint
        with yard.records.ledger.write() as tx:
            word = {"passed": int(passed), "evidence": evidence, "judged_at": wall()}
            tx.change("verdict-put", tree=tree, gate=gate, **word)
    else:
        passed, evidence = bool(known["passed"]), str(known["evidence"])
    if passed:
        return view
    yard.log(f"{slot.name} shows everything, because {' '.join(argv)} fails in the view: {evidence[-300:]}")
    return sparse.apply(slot.path, View.full(view.total))

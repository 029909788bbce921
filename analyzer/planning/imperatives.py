"""The verbs that titles of issues begin with: how `fitness` counts the wishes in one title."""

from __future__ import annotations

VERBS = frozenset(
    """
    add build change check clean clarify close configure connect convert create cut define delete deploy deprecate
    design disable document drop enable enforce ensure expand expose extend extract fix handle harden hide implement
    improve increase inline install integrate introduce investigate load lower make map measure merge migrate move
    optimize parse patch port prevent print prune publish raise record reduce refactor register reject release remove
    rename render replace report restore restrict return revert review rewrite run sanitize save schedule send
    set show simplify skip sort speed split stop store strip support suppress sync tag teach test throw trim tune
    unify update upgrade use validate verify wire wrap write
    """.split()  # noqa: SIM905 - a hundred quotes would hide the list
)
FOLLOWS = frozenset(
    """
    check clean define document ensure log make merge parse record register report return run show test update use
    validate verify wire
    """.split()  # noqa: SIM905 - as above
)
"""Verbs that follow from another ("add X and test it" is one outcome), or are as often nouns."""
LEADS = frozenset(("clarify", "define", "design", "extract", "investigate", "review", "split"))
"""Verbs that another follows from: "investigate and fix"."""

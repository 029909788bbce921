"""Which gate a tree is judged by, and what counts as its pass.

A change of documentation alone may have a smaller gate than code (`gate.choice`), so the same tree can have two keys.
A pass of the full gate counts for both; a pass of the smaller one only where nothing but documentation differs from a
tip that was judged before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from coordinator.config import Config
from coordinator.gate.checks import Verdict, tool_chain
from coordinator.gate.choice import Choice, choose, gate_key
from resources.state.store import Snapshot


@dataclass(frozen=True)
class Gates:
    """The gates that a configuration has."""

    config: Config

    def choice(self, changed: Sequence[str]) -> Choice:
        """The gate of a change of these paths."""
        return choose(self.config.gate, changed)

    def key(self, choice: Choice) -> str:
        """Under which a verdict of this gate is kept."""
        return self.keys[0] if choice.checks == self.choice(()).checks else self.keys[-1]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Every gate's key, the full one's first; the programs of the checks are looked at once."""
        full = self.choice(())
        small = replace(full, checks=tuple(check for check in full.checks if check.on != "code"))
        return tuple(gate_key(choice, tool_chain(choice.checks)) for choice in (full, small))

    def verdict(self, snapshot: Snapshot, tree: str, key: str) -> Verdict | None:
        """What the gate with this key, or a pass of the full one, has said about a tree."""
        own = _verdict(snapshot, tree, key)
        if own is not None or key == self.keys[0]:
            return own
        full = _verdict(snapshot, tree, self.keys[0])
        return full if full is not None and full.passed else None


def _verdict(snapshot: Snapshot, tree: str, key: str) -> Verdict | None:
    row = snapshot.one("verdict", tree=tree, gate=key)
    return Verdict.of(bool(row["passed"]), row["evidence"]) if row else None

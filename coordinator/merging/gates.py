"""Which gate a tree is judged by, and what counts as its pass.

A change of documentation alone may have a smaller gate than code (`gate.choice`), so the same tree can have two keys.
A pass of the full gate counts for both; a pass of the smaller one only where nothing but documentation differs from a
tip that was judged before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coordinator.config import Config
from coordinator.gate.checks import Verdict, tool_chain
from coordinator.gate.choice import Choice, choose, gate_key
from resources.state.store import Snapshot

TOOLS_EVERY = 10.0
"""Seconds after which the gate's programs are looked at again: a verdict holds for them as they were."""


@dataclass
class Gates:
    """The gates that a configuration has."""

    config: Config
    _keys: tuple[str, ...] = ()
    _looked: float = 0.0

    def choice(self, changed: Sequence[str]) -> Choice:
        """The gate of a change of these paths."""
        return choose(self.config.gate, changed)

    def key(self, choice: Choice) -> str:
        """Under which a verdict of this gate is kept."""
        return self.keys[0] if choice.checks == self.choice(()).checks else self.keys[-1]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every gate's key, the full one's first."""
        if not self._keys or time.monotonic() - self._looked > TOOLS_EVERY:
            self._looked = time.monotonic()
            full = self.choice(())
            small = replace(full, checks=tuple(check for check in full.checks if check.on != "code"))
            self._keys = tuple(gate_key(choice, tool_chain(_commands(choice))) for choice in (full, small))
        return self._keys

    def verdict(self, snapshot: Snapshot, tree: str, key: str) -> Verdict | None:
        """What the gate with this key, or a pass of the full one, has said about a tree."""
        own = _verdict(snapshot, tree, key)
        if own is not None or key == self.keys[0]:
            return own
        full = _verdict(snapshot, tree, self.keys[0])
        return full if full is not None and full.passed else None


def _commands(choice: Choice) -> list[Sequence[str]]:
    return [*(check.run for check in choice.checks), choice.review.run]


def _verdict(snapshot: Snapshot, tree: str, key: str) -> Verdict | None:
    row = snapshot.one("verdict", tree=tree, gate=key)
    return Verdict.of(bool(row["passed"]), row["evidence"]) if row else None

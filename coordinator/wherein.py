"""Who calls: inside a slot the environment tells agent, issue and lease; outside it is a person."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The agent and issue that a command speaks for. `fence` is 0 outside a slot."""

    agent: str
    issue: str
    slot: str
    fence: int


def here() -> Caller:
    """The caller of this command."""
    lease = os.environ.get("AGENT_COORD_LEASE", "")
    fence = lease.rpartition(":")[2]
    agent = os.environ.get("AGENT_COORD_AGENT") or getpass.getuser()
    return Caller(
        agent,
        os.environ.get("AGENT_COORD_ISSUE", ""),
        os.environ.get("AGENT_COORD_SLOT", ""),
        int(fence) if fence.isdigit() else 0,
    )

"""What the adapters of real programs share: is the program there, and which servers of tools may it use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resources.system.errors import Failure


def need(program: str, name: str) -> None:
    """Raise Failure("program-missing") when `program`, with which the agent program `name` starts, is not on PATH."""
    if shutil.which(program) is None:
        raise Failure(
            "program-missing", f"{program} is not on PATH", why=f"agent program {name} starts with it",
            mend=f"install {program}, or choose another program with --agent",
        )  # fmt: skip


def read_servers(file: Path | None) -> Mapping[str, Any]:
    """The MCP servers that a file names, as Claude Code and others write it: {"mcpServers": {name: …}}.

    Raises Failure("bad-mcp-file").
    """
    if file is None:
        return {}
    try:
        servers = json.loads(file.read_text())["mcpServers"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure("bad-mcp-file", f"{file} names no MCP servers", why=repr(error), mend=f"edit {file}") from error
    if not isinstance(servers, dict):
        raise Failure("bad-mcp-file", f"{file}: mcpServers must be an object", mend=f"edit {file}")
    return servers

"""Backlogs for the tests of the planner: issues in a line each, plans from them, and the folder of real trackers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from analyzer.backlog.issues import Bond, Dependency, Issue
from analyzer.planning.facts import Facts, Source
from analyzer.planning.plan import Plan, Policy, Request, make_plan
from analyzer.scopes.history import History

NOW = 1_790_000_000.0


def issue(name: str, *waits: str, parent: str = "", **fields: Any) -> Issue:
    """An issue that is blocked by `waits` and a child of `parent`."""
    edges = [Dependency(target, Bond.BLOCKS, "blocks") for target in waits]
    edges += [Dependency(parent, Bond.PARENT, "parent-child")] if parent else []
    return Issue(name, title=fields.pop("title", f"Do {name}"), dependencies=tuple(edges), **fields)


def plan(issues: Iterable[Issue], policy: Policy | None = None, tree: Iterable[str] = (), **request: Any) -> Plan:
    found = tuple(issues)
    asked: dict[str, Any] = {"now": NOW} | request
    facts = Facts(found, (), History.of((), {}), tuple(tree), Source("file", "test", len(found)))
    return make_plan(facts, Request(**asked), policy)


def record(name: str, *waits: str, **fields) -> dict:
    """An issue as `bd` exports it."""
    edges = [{"issue_id": name, "depends_on_id": target, "type": "blocks"} for target in waits]
    plain = {"id": name, "title": f"Do {name}", "status": "open", "priority": 2, "issue_type": "task"}
    return plain | ({"dependencies": edges} if edges else {}) | fields


def lines(*records: dict) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def data(*parts: str) -> Path:
    """A folder of the real data; the test is skipped, with the reason, where there is none."""
    root = Path(__file__).parents[2]
    folder = (root / os.environ.get("AGENT_COORD_DATA", "../shared/data")).joinpath(*parts).resolve()
    if not folder.exists():
        pytest.skip(f"no real data at {folder}; AGENT_COORD_DATA names the folder")
    return folder

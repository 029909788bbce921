"""A critical level keeps agents from being started, says so where people look, and ends by itself."""

from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, writes

MEMORY = "[limits]\nmemory_critical = 0.0\n"
REST = "[limits]\ndescriptors_critical = 0.0\ndisk_critical_gb = 0.0\n"


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def why(status: dict) -> str:
    return status["queue"][0]["why"] if status["queue"] else ""


def level(status: dict, resource: str) -> str:
    return {reading["resource"]: reading["level"] for reading in status["limits"]}.get(resource, "")


def test_every_critical_level_blocks_says_so_and_lets_go(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    plain = config.read_text()
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.json("init")
    config.write_text(plain + MEMORY)
    refused = place.run("spawn", "1", "only:a-1")
    assert (refused.returncode, "memory is over its critical limit" in refused.stderr) == (4, True)
    status = place.until(lambda now: why(now) == "memory is over its critical limit")
    assert (level(status, "memory"), level(status, "disk")) == ("critical", "ok")
    assert status["coordinator"], "it waits for room"
    config.write_text(plain + REST)
    status = place.until(
        lambda now: why(now) == "disk is over its critical limit and descriptors is over its critical limit"
    )
    assert {level(status, resource) for resource in ("descriptors", "disk")} == {"critical"}
    assert {slot["state"] for slot in status["slots"]} == {"idle"}
    config.write_text(plain)
    place.until(lambda now: now["tasks"] == {"landed": 1})

"""The mirror beside a coordinator at work: what it tells an Agent Mail server, and that nobody waits for one."""

from pathlib import Path

import pytest

from tests.support.agent_mail import TOKEN, Viewer, free_port, serving
from tests.support.projects import Place, make_place, writes


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    made.environment["AGENT_MAIL_TOKEN"] = TOKEN
    made.script("a-1", writes("one.txt", "1", "a-1: one"))
    yield made
    made.run("cleanup", "--yes")


def configure(place: Place, url: str) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + f'[mail]\nmirror = "{url}"\n')
    place.json("init")


def letter(place: Place) -> None:
    place.json("mail", "register", "ann")
    place.json("mail", "send", "--to", "ann", "--subject", "mind this")


def test_a_run_is_told_to_the_server(place: Place) -> None:
    with serving(tokens=True) as server:
        configure(place, server.url)
        letter(place)
        answer = place.json("run", "--only", "a-1")
        assert answer["landed"] == 1
        viewer = Viewer(server.url, str(place.root))
        assert [one["subject"] for one in viewer.inbox("ann")] == ["mind this"]
        assert "agent1" in server.agents
        assert viewer.held() == [], "what was given back at the end is given back there"
        assert TOKEN not in (place.root / ".agent-worktrees" / "config.toml").read_text()


def test_work_goes_on_without_the_server_which_hears_of_it_later(place: Place) -> None:
    port = free_port()
    configure(place, f"http://127.0.0.1:{port}/mcp/")
    letter(place)
    done = place.run("run", "--only", "a-1", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("mail mirror: ") == 1, "told once"
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    with serving(tokens=False, port=port) as server:
        assert place.json("run", "--only", "a-2")["landed"] == 1
        assert len(Viewer(server.url, str(place.root)).inbox("ann")) == 1


def test_a_server_that_never_answers_stops_nobody(place: Place) -> None:
    with serving(tokens=False) as server:
        server.stalls = True
        configure(place, server.url)
        letter(place)
        done = place.run("run", "--only", "a-1", "--json")
        assert done.returncode == 0, done.stderr
        assert "timed out" in done.stderr


def test_another_machine_must_be_wanted(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    text = config.read_text()
    config.write_text(text + '[mail]\nmirror = "http://mail.example/api/"\n')
    refused = place.run("init")
    assert refused.returncode == 1
    assert "allow_remote" in refused.stderr
    config.write_text(text)

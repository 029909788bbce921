"""What a mirror tells an MCP Agent Mail server, whichever family it is of: two of our own, and the real program.

The real one is the package `mcp-agent-mail` in a virtual environment of its own, because it brings 400 MB along; the
variable AGENT_MAIL_PYTHON names that environment's Python.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from coordinator.mail import letters, reservations
from coordinator.mail.agent_mail import AgentMail, Away, MailSettings
from coordinator.mail.letters import Draft
from coordinator.mail.mirror import AGAIN, KEY, Mirror, Told
from coordinator.tasks import claims
from resources.state.sqlite import SqliteLedger
from tests.support.agent_mail import TOKEN, Server, Viewer, free_port, serving

PROJECT = "/somewhere/a project"
MADE = Path(__file__).parents[2] / ".venv" / "agent-mail" / "bin" / "python"


@contextmanager
def real(folder: Path) -> Generator[str]:
    python = os.environ.get("AGENT_MAIL_PYTHON") or (str(MADE) if MADE.exists() else "")
    if not shutil.which(python or "none"):
        pytest.skip("no MCP Agent Mail: sh .ci/environment real, or AGENT_MAIL_PYTHON=/a/venv/with/mcp-agent-mail")
    port = free_port()
    settings = {
        "HOME": str(folder), "PATH": os.environ["PATH"], "HTTP_BEARER_TOKEN": TOKEN, "HTTP_RBAC_ENABLED": "false",
        "HTTP_ALLOW_LOCALHOST_UNAUTHENTICATED": "false", "MCP_TOOLS_MODE": "extended", "WORKTREES_ENABLED": "1",
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/mail.sqlite3", "STORAGE_ROOT": str(folder / "git"),
        "LLM_ENABLED": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }  # fmt: skip
    start = "from mcp_agent_mail.cli import app; app()"
    argv = [python, "-c", start, "serve-http", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=folder, env=settings, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while not answers(f"http://127.0.0.1:{port}/health/liveness"):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, "it does not start"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/mcp/"
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return response.status == 200
    except (URLError, TimeoutError, ConnectionError):
        return False


@pytest.fixture(params=["tokens", "plain", pytest.param("real", marks=pytest.mark.real)])
def url(request, tmp_path: Path):
    if request.param == "real":
        with real(tmp_path) as address:
            yield address
        return
    with serving(tokens=request.param == "tokens") as server:
        yield server.url


@pytest.fixture
def server():
    with serving(tokens=True) as made:
        yield made


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqliteLedger.create(tmp_path / "ledger")
    with opened.write() as tx:
        claims.enlist(tx, [claims.Wish("bd-1", "Mend it", "", "claude", "all", 0)], again=True)
        task = claims.find_task(tx, "bd-1")
        assert task is not None
        lease = claims.claim(tx, "bd-1", "agent-1")
        claims.begin(tx, task, lease, agent="agent-1", program="claude", slot="", branch="", base="")
        letters.register(tx, "ann", "wrote the parser")
    yield opened
    opened.close()


def look(ledger: SqliteLedger, url: str, monkeypatch, token: str = TOKEN) -> list[str]:
    monkeypatch.setenv("AGENT_MAIL_TOKEN", token)  # that is where the program reads it
    return Mirror(ledger, AgentMail(MailSettings(url)), url, PROJECT).look()


def send(ledger: SqliteLedger, *to: str, sender: str = "ann", subject: str = "mind this", **more) -> None:
    with ledger.write() as tx:
        letters.send(tx, sender, Draft(to, subject, **more))


def reserve(ledger: SqliteLedger, *patterns: str, shared: bool = False) -> list[int]:
    with ledger.write() as tx:
        return reservations.reserve(tx, patterns, agent="agent-1", issue="bd-1", why="", shared=shared)


def named(ledger: SqliteLedger, url: str, name: str) -> str:
    with ledger.read() as snapshot:
        return Told.of(snapshot, url).names[name]["name"]


def told(ledger: SqliteLedger, url: str, name: str) -> list[tuple]:
    found = Viewer(url, PROJECT).inbox(named(ledger, url, name))
    return [(one["subject"], one["importance"], bool(one["ack_required"]), one["thread_id"]) for one in found]


def test_letters_reach_names_workers_and_people_once(ledger, url, monkeypatch) -> None:
    send(ledger, "bd-1", "ann", sender="coordinator", body="the *text*", importance="urgent", wants_ack=True)
    send(ledger, "people", subject="a/b in ü", thread="a thread / of words")
    assert look(ledger, url, monkeypatch) == []
    urgent = ("[bd-1] mind this", "urgent", True, "bd-1")
    assert told(ledger, url, "agent-1") == [urgent]
    assert told(ledger, url, "ann") == [urgent]
    assert told(ledger, url, "people") == [("a/b in ü", "normal", False, "a-thread-of-words")]
    assert Viewer(url, PROJECT).inbox(named(ledger, url, "ann"))[0]["body_md"] == "the *text*"
    assert look(ledger, url, monkeypatch) == []
    send(ledger, "ann", subject="z: later")
    assert look(ledger, url, monkeypatch) == []
    assert [subject for subject, *_ in told(ledger, url, "ann")] == ["[bd-1] mind this", "z: later"]


def test_what_is_held_is_shown_and_what_is_given_back_is_not(ledger, url, monkeypatch) -> None:
    first, _ = reserve(ledger, "src/**", "docs/a b.md")
    reserve(ledger, "shared/*.lock", shared=True)
    assert look(ledger, url, monkeypatch) == []
    agent = named(ledger, url, "agent-1")
    kept = [(agent, "docs/a b.md", True), (agent, "shared/*.lock", False)]
    assert Viewer(url, PROJECT).held() == [*kept, (agent, "src/**", True)]
    with ledger.write() as tx:
        reservations.release(tx, [first])
    assert look(ledger, url, monkeypatch) == []
    assert Viewer(url, PROJECT).held() == kept
    with ledger.write() as tx:
        reservations.release_issue(tx, "bd-1")
    assert look(ledger, url, monkeypatch) == []
    assert Viewer(url, PROJECT).held() == []


def test_a_token_that_is_not_accepted_loses_nothing(ledger, url, monkeypatch) -> None:
    send(ledger, "people")
    with pytest.raises(Away, match=r"HTTP 40[13]"):
        look(ledger, url, monkeypatch, token="another")
    assert look(ledger, url, monkeypatch) == []
    assert len(told(ledger, url, "people")) == 1


def test_a_server_that_has_forgotten_everything_hears_what_is_new(ledger, server: Server, monkeypatch) -> None:
    send(ledger, "ann")
    assert look(ledger, server.url, monkeypatch) == []
    server.forget()
    send(ledger, "ann", "bd-1", subject="again")
    assert look(ledger, server.url, monkeypatch) == []
    assert [subject for subject, *_ in told(ledger, server.url, "ann")] == ["[bd-1] again"]


def test_a_letter_that_is_refused_holds_nobody_up(ledger, server: Server, monkeypatch) -> None:
    monkeypatch.setattr(server, "set_contact_policy", None)  # a server without the tool: nobody agrees to hear
    send(ledger, "ann", sender="people")
    (no_tool, *_, refused) = look(ledger, server.url, monkeypatch)
    assert "set_contact_policy" in no_tool
    assert refused.startswith("letter 1: ")
    assert "Contact approval required" in refused
    monkeypatch.undo()
    send(ledger, "ann", subject="later", sender="ann")
    assert look(ledger, server.url, monkeypatch) == []
    assert [subject for subject, *_ in told(ledger, server.url, "ann")] == ["later"]


def test_a_name_that_is_somebody_elses_there_is_exchanged(ledger, server: Server, monkeypatch) -> None:
    server.projects.add(PROJECT)
    server.register_agent(PROJECT, "other", "m", "ann")
    assert look(ledger, server.url, monkeypatch) == []
    assert named(ledger, server.url, "ann") not in ("ann", "")


def test_what_is_held_for_long_is_told_again_and_nothing_new_costs_no_call(ledger, server: Server, monkeypatch) -> None:
    reserve(ledger, "src/**")
    look(ledger, server.url, monkeypatch)
    server.calls.clear()
    look(ledger, server.url, monkeypatch)
    assert server.calls == []
    with ledger.write() as tx:
        known = Told.of(tx, server.url)
        known.held = {number: held | {"at": held["at"] - AGAIN - 1} for number, held in known.held.items()}
        tx.change("meta-put", key=KEY, value=json.dumps(asdict(known)))
    look(ledger, server.url, monkeypatch)
    assert server.calls == ["ensure_project", "file_reservation_paths"]
    assert len(Viewer(server.url, PROJECT).held()) == 1


def test_another_server_is_told_from_the_beginning(ledger, server: Server, monkeypatch) -> None:
    send(ledger, "ann")
    look(ledger, server.url, monkeypatch)
    with serving(tokens=False) as other:
        look(ledger, other.url, monkeypatch)
        assert len(told(ledger, other.url, "ann")) == 1


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"result": 3}', b"<html>", b'{"error": 7}'])
def test_a_server_that_answers_nonsense_is_away(ledger, server: Server, monkeypatch, answer: bytes) -> None:
    monkeypatch.setattr(AgentMail, "_post", lambda *_: answer.decode())  # no server of ours says such things
    with pytest.raises(Away):
        look(ledger, server.url, monkeypatch)


def test_nobody_there_is_away(ledger, monkeypatch) -> None:
    with pytest.raises(Away):
        look(ledger, f"http://127.0.0.1:{free_port()}/mcp/", monkeypatch)

"""An urgent letter reaches its agent at the next tool call, once, whatever that call is."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from coordinator.guard.posts import tool_hook
from coordinator.guard.walls import offered, walled, writable
from tests.support.guarded import Guarded, make_guarded
from tests.support.projects import Place

ROOT = Path(__file__).parents[2]
READ = ("Read", {"file_path": "mine/a.py"})
STASH = ("Bash", {"command": "git stash"})


@pytest.fixture
def guarded(tmp_path: Path):
    made = make_guarded(tmp_path)
    yield made
    made.close()


def write(guarded: Guarded, to: str, importance: str = "urgent", subject: str = "leave mine/b.py") -> None:
    Place(guarded.root).json("mail", "send", "--to", to, "--subject", subject, "--importance", importance)


def ask(guarded: Guarded, call: tuple[str, dict], **more: str):
    """The hook's answer to a tool call of a session."""
    tool, given = call
    common = {"session_id": "s-1", "hook_event_name": "PreToolUse", "cwd": str(guarded.slot)}
    return guarded.raw_sign(json.dumps({**common, "tool_name": tool, "tool_input": given, **more}))


def test_an_allowed_call_brings_it_along_once(guarded: Guarded) -> None:
    write(guarded, "a-1")
    told = ask(guarded, READ)
    assert told.returncode == 0
    added = json.loads(told.stdout)["hookSpecificOutput"]
    assert added["hookEventName"] == "PreToolUse"
    assert "leave mine/b.py" in added["additionalContext"]
    assert "permissionDecision" not in added
    assert ask(guarded, READ).stdout == ""
    assert (guarded.root / ".git" / "agent-coord" / "urgent").read_text() == "", "the next call has nothing to look for"


def test_a_refusal_tells_it_with_the_reason(guarded: Guarded) -> None:
    write(guarded, "ann")
    told = ask(guarded, STASH)
    assert told.returncode == 2
    assert "stash" in told.stderr
    assert "leave mine/b.py" in told.stderr


def test_a_program_that_hands_nothing_on_is_held_up_once(guarded: Guarded) -> None:
    write(guarded, "a-1")
    told = ask(guarded, READ, turn_id="t-1")
    assert told.returncode == 2
    assert "nothing is wrong with this call" in told.stderr
    assert "leave mine/b.py" in told.stderr
    assert ask(guarded, READ, turn_id="t-1").returncode == 0


def test_what_is_not_urgent_or_not_for_it_says_nothing(guarded: Guarded) -> None:
    write(guarded, "a-1", "high")
    write(guarded, "people")
    again = ask(guarded, READ)
    assert (again.returncode, again.stdout) == (0, "")


def test_a_trial_of_the_guard_takes_no_letter_away(guarded: Guarded) -> None:
    write(guarded, "a-1")
    assert guarded.sign(*STASH).returncode == 2
    assert ask(guarded, STASH, session_id="proof").returncode == 2
    assert "leave mine/b.py" in ask(guarded, READ).stdout


def test_without_a_ledger_that_answers_reading_goes_on(guarded: Guarded) -> None:
    write(guarded, "a-1")
    ledger = guarded.root / ".git" / "agent-coord" / "ledger.sqlite3"
    aside = ledger.rename(ledger.with_suffix(".aside"))
    answer = ask(guarded, READ)
    aside.rename(ledger)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize("kind", ["landlock", "bwrap"])
def test_behind_a_wall_letters_are_sent_and_told(guarded: Guarded, kind: str) -> None:
    offer = offered()
    if kind not in offer.kinds:
        pytest.skip(offer.missing[kind])
    places = writable(guarded.project.repository, guarded.project.config.scope, guarded.slot)
    send = f"cd {shlex.quote(str(ROOT))} && '{sys.executable}' -m agent_coord --repo {shlex.quote(str(guarded.root))}"
    send += " mail send --to a-1 --subject walled --importance urgent"
    sent = guarded.shell(shlex.join(walled(kind, ("sh", "-c", send), guarded.slot, places)))
    assert sent.returncode == 0, sent.stderr
    call = {"session_id": "s-1", "hook_event_name": "PreToolUse", "cwd": str(guarded.slot), "tool_name": READ[0]}
    text = shlex.quote(json.dumps({**call, "tool_input": READ[1]}))
    hook = f"printf %s {text} | {shlex.join(tool_hook())}"
    told = guarded.shell(shlex.join(walled(kind, ("sh", "-c", hook), guarded.slot, places)))
    assert "walled" in told.stdout, told.stderr
    assert ask(guarded, READ).stdout == ""

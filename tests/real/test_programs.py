"""Claude Code and Codex themselves, run by the supervisor against a model of our own."""

import os
import signal
import time
from dataclasses import replace

import pytest

from coordinator.agents.claude import Claude
from coordinator.agents.codex import Codex
from coordinator.agents.supervisor import look
from coordinator.transcripts.activity import Ending
from resources.system.process import is_alive
from tests.support.model import Hang, Refuse, Say, Shell, Write
from tests.support.worlds import MAKES, REFUSES, assignment, attempt, begin, end, guard, real

pytestmark = [pytest.mark.real]
BOTH = pytest.mark.parametrize("name", ["claude", "codex"])


@BOTH
def test_what_the_guard_refuses_is_not_done_and_the_agent_is_told_why(name, tmp_path):
    turns = [Shell("echo 1 > forbidden.txt"), Write("forbidden too.txt", "1"), Shell("echo 1 > allowed.txt"), Say("oh")]
    told = assignment(tmp_path)
    with real(name, tmp_path, turns, guard(tmp_path, REFUSES)) as (world, model):
        tried = attempt(world, told)
        assert model.told("x-1").count("not yours: ask with scope widen") >= 2
    assert tried.ending is Ending.DONE
    assert sum("not yours" in one.denial for one in tried.activities) == 2
    assert {path.name for path in told.slot.iterdir()} - {".git"} == {"allowed.txt"}
    assert (told.room / "guard.answered").exists()


@BOTH
def test_a_session_is_gone_on_with(name, tmp_path):
    told = assignment(tmp_path)
    with real(name, tmp_path, [Say("half of it"), *MAKES]) as (world, model):
        first = attempt(world, told)
        second = attempt(world, replace(told, session=first.session, prompt="go on"))
        assert model.told("x-1").endswith("go on") or "go on" in model.told("x-1")
        assert len(model.talks) == 1, "the second call bore the whole conversation"
    assert (first.ending, second.ending) == (Ending.DONE, Ending.DONE)
    assert first.session == second.session != ""


@BOTH
def test_a_session_that_is_not_known_is_lost(name, tmp_path):
    unknown = "01a1f93b-c2cc-7c70-87ea-000000000000"
    with real(name, tmp_path) as (world, _):
        assert attempt(world, replace(assignment(tmp_path), session=unknown)).ending is Ending.LOST


@BOTH
@pytest.mark.parametrize(
    ("status", "kind", "ending"),
    [
        (429, "rate_limit_error", Ending.UNAVAILABLE),
        (429, "insufficient_quota", Ending.UNAVAILABLE),
        (529, "overloaded_error", Ending.UNAVAILABLE),
        (401, "authentication_error", Ending.UNAVAILABLE),
        (402, "billing_error", Ending.UNAVAILABLE),
        (400, "invalid_request_error", Ending.FAILED),
    ],
)
def test_whose_fault_an_error_of_the_model_is(name, status, kind, ending, tmp_path):
    with real(name, tmp_path, [Refuse(status, kind)]) as (world, _):
        assert attempt(world, assignment(tmp_path)).ending is ending


@BOTH
def test_a_program_that_never_ends_is_stopped_when_it_gives_no_sign_of_life(name, tmp_path):
    with real(name, tmp_path, [Hang()]) as (world, _):
        running = begin(world, assignment(tmp_path))
        assert end(running, idle=2).ending is Ending.FAILED
    assert not is_alive(running.process)


def test_words_about_a_lost_network_are_no_sign_of_life(tmp_path):
    with real("codex", tmp_path, [Say("hm")]) as (world, _):
        pass
    running = begin(world, assignment(tmp_path))
    assert end(running, idle=3).ending is Ending.UNAVAILABLE
    assert "waiting for network" in running.said


@BOTH
def test_a_program_that_is_ended_from_outside_was_stopped(name, tmp_path):
    with real(name, tmp_path, [Shell("echo begun"), Hang()]) as (world, _):
        running = begin(world, assignment(tmp_path))
        while not running.acted:
            assert look(running, idle=60, timeout=60) is None
            time.sleep(0.02)
        os.kill(running.process.pid, signal.SIGTERM)
        tried = end(running)
    assert (tried.ending, bool(tried.session)) == (Ending.STOPPED, True)


@BOTH
def test_a_program_that_does_not_run_its_hooks_is_stopped_at_its_first_tool(name, tmp_path):
    told = assignment(tmp_path)
    with real(name, tmp_path, [Shell("sleep 30; echo 1 > late.txt")], guard(tmp_path, REFUSES)) as (
        world,
        _,
    ):
        switched = {"claude": ("--settings", '{"disableAllHooks": true}'), "codex": ("-c", "features.hooks=false")}
        assert isinstance(world.adapter, Claude | Codex)
        world.adapter.argv += switched[name]
        assert attempt(world, told).ending is Ending.UNGUARDED
    assert not (told.slot / "late.txt").exists()

"""Lines as the real programs print them (shortened), and what they are to mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.transcripts.activity import Activity, Ending, Usage, ending, trouble_of
from coordinator.transcripts.reading import read_line


def claude(kind: str, **more: object) -> Activity:
    return read_line(json.dumps({"type": kind, "session_id": "s-1", **more}))


def uses(name: str, **given: object) -> Activity:
    return claude("assistant", message={"content": [{"type": "tool_use", "id": "t", "name": name, "input": given}]})


def returns(content: object, **more: object) -> Activity:
    return claude("user", message={"content": [{"type": "tool_result", "content": content, **more}]})


def test_claude_at_work() -> None:
    assert claude("system", subtype="init", model="m-1").session == "s-1"
    edit = uses("Edit", file_path="/slot/a.py", old_string="x")
    assert (edit.text, edit.files, edit.acts) == ("Edit: /slot/a.py", ("/slot/a.py",), True)
    look = uses("Read", file_path="/slot/a.py")
    assert (look.files, look.acts) == ((), True)
    assert uses("Bash", command="make test").text == "Bash: make test"
    assert claude("assistant", message={"content": [{"type": "text", "text": "hm"}]}).text == "hm"
    assert not returns("fine").text


def test_what_claude_is_refused() -> None:
    hooked = returns("PreToolUse:Write hook error: [guard]: not yours", is_error=True)
    assert "not yours" in hooked.denial
    assert hooked.text.startswith("refused: ")
    failed = returns([{"type": "text", "text": "exit 1"}], is_error=True)
    assert (failed.denial, failed.text) == ("", "error: exit 1")
    told = claude("system", subtype="permission_denied", message="outside the slot", tool_name="Write")
    assert told.denial == "outside the slot"


API_ERROR = {"subtype": "success", "is_error": True, "terminal_reason": "api_error"}


@pytest.mark.parametrize(
    ("more", "code", "expected"),
    [
        ({"subtype": "success", "is_error": False, "terminal_reason": "completed"}, 0, Ending.DONE),
        (API_ERROR | {"api_error_status": 529}, 1, Ending.UNAVAILABLE),
        (API_ERROR | {"api_error_status": 402}, 1, Ending.UNAVAILABLE),
        (API_ERROR | {"api_error_status": None}, 1, Ending.UNAVAILABLE),
        (API_ERROR | {"api_error_status": 400}, 1, Ending.FAILED),
        ({"subtype": "error_max_turns", "is_error": True, "terminal_reason": "max_turns"}, 1, Ending.FAILED),
        ({"is_error": True, "errors": ["No conversation found with session ID: 9"]}, 1, Ending.LOST),
        ({"is_error": True, "terminal_reason": "max_turns", "result": "rate limit tests fail"}, 1, Ending.FAILED),
        ({"subtype": "success", "is_error": False}, 143, Ending.STOPPED),
        ({"subtype": "success", "is_error": False}, 1, Ending.FAILED),
    ],
)  # fmt: skip
def test_how_claude_ended_is_told_by_its_result_and_never_by_the_subtype(more, code, expected) -> None:
    assert ending(code, claude("result", **more), must_say=True) is expected


def test_an_exit_code_of_0_without_a_result_is_worth_nothing() -> None:
    last = claude("assistant", message={"content": [{"type": "text", "text": "all done"}]})
    assert ending(0, last, must_say=True) is Ending.FAILED
    assert ending(0, last) is Ending.DONE


def test_what_claude_used() -> None:
    counts = {"input_tokens": 40, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 3, "output_tokens": 20}
    assert claude("result", is_error=False, usage=counts, total_cost_usd=0.5).usage == Usage(50, 7, 20, 0.5)


def test_waiting_for_the_model_is_no_sign_of_life() -> None:
    retry = claude("system", subtype="api_retry", attempt=2, max_retries=10, error_status=429, error="rate_limit")
    assert (retry.waits, retry.text) == (True, "the model refuses (429); retry 2 of 10")
    limit = claude("rate_limit_event", rate_limit_info={"status": "rejected", "resetsAt": 1_800_000_000})
    assert limit.until == 1_800_000_000
    assert claude("rate_limit_event", rate_limit_info={"status": "allowed"}) == Activity()
    lost = read_line('{"type":"error","message":"Reconnecting... waiting for network (Connection failed)"}')
    assert (lost.waits, lost.trouble) == (True, Ending.UNAVAILABLE)


def codex(kind: str, **item: object) -> Activity:
    return read_line(json.dumps({"type": kind, "item": {"id": "item_1", **item}}))


def test_codex_at_work() -> None:
    assert read_line('{"type":"thread.started","thread_id":"t-1"}').session == "t-1"
    begun = codex("item.started", type="command_execution", command="make", aggregated_output="", exit_code=None)
    assert (begun.text, begun.acts) == ("Bash: make", True)
    over = codex(
        "item.completed", type="command_execution", command="make", aggregated_output="a\nno rule", exit_code=2
    )
    assert over.text == "ended with 2: no rule"
    change = codex("item.started", type="file_change", changes=[{"path": "/slot/a.py", "kind": "add"}])
    assert (change.files, change.acts) == (("/slot/a.py",), True)
    assert codex("item.completed", type="agent_message", text="hm").text == "hm"
    warning = codex("item.completed", type="error", message="hook trust is bypassed")
    assert not warning.failed
    usage = {"input_tokens": 9, "cached_input_tokens": 4, "output_tokens": 2}
    last = read_line(json.dumps({"type": "turn.completed", "usage": usage}))
    assert (last.final, last.usage, ending(0, last, must_say=True)) == (True, Usage(9, 4, 2), Ending.DONE)


def test_what_codex_is_refused_is_told_on_standard_error_alone() -> None:
    line = "2026-11-20T13:54:10Z ERROR tools::router: error=Command blocked by PreToolUse hook: not yours. Command: x"
    assert read_line(line).denial.startswith("not yours")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("exceeded retry limit, last status: 429 Too Many Requests", Ending.UNAVAILABLE),
        ("You’ve hit your usage limit. Try again later.", Ending.UNAVAILABLE),
        ("Quota exceeded. Check your plan and billing details.", Ending.UNAVAILABLE),
        ("We’re currently experiencing high demand, which may cause temporary errors.", Ending.UNAVAILABLE),
        ("unexpected status 401 Unauthorized: some message, url: http://127.0.0.1/v1", Ending.UNAVAILABLE),
        ("unexpected status 402 Payment Required: some message", Ending.UNAVAILABLE),
        ("stream disconnected before completion", Ending.UNAVAILABLE),
        ('{"error": {"type": "invalid_request_error"}}', Ending.FAILED),
        ("context window exceeded", Ending.FAILED),
    ],
)
def test_how_codex_failed(words: str, expected: Ending) -> None:
    assert read_line(json.dumps({"type": "turn.failed", "error": {"message": words}})).trouble is expected


@pytest.mark.parametrize(
    "text", ["expected 500 rows, got 402", "connection refused by the database", "line 429: quotation"]
)
def test_what_a_failing_test_says_is_not_the_models_fault(text: str) -> None:
    assert trouble_of(text) is Ending.FAILED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
KEYS = [
    "message",
    "item",
    "usage",
    "content",
    "error",
    "errors",
    "result",
    "rate_limit_info",
    "subtype",
    "is_error",
    "model",
]
KINDS = ["system", "assistant", "user", "result", "rate_limit_event", "item.started", "turn.failed", "error", "x"]


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_whatever_a_record_holds_it_is_read(kind: str, more: dict) -> None:
    assert isinstance(read_line(json.dumps({"type": kind, "session_id": "s", **more})), Activity)


@given(st.text())
def test_whatever_a_line_holds_it_is_read(line: str) -> None:
    assert isinstance(read_line(line), Activity)

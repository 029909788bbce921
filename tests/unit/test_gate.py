import json
import sys
import tomllib
from pathlib import Path

import pytest

from coordinator.gate.checks import Verdict, run_checks, tool_chain
from coordinator.gate.choice import batches, choose, gate_key
from coordinator.gate.coverage import covered
from coordinator.gate.presets import all_checks, as_toml, detect
from coordinator.gate.review import Reviewed, ask, opinion_in
from coordinator.gate_settings import Check, GateSettings, Review, read_gate

TESTS, LINT = Check("tests", ("make", "test"), on="code"), Check("lint", ("make", "lint"))


def python(code: str, **more) -> Check:
    return Check(more.pop("name", "check"), (sys.executable, "-c", code), **more)


def test_a_change_of_documentation_alone_leaves_out_the_checks_of_code() -> None:
    settings = GateSettings((TESTS, LINT))
    assert choose(settings, ["docs/a.md", "README.md"]).checks == (LINT,)
    assert choose(settings, ["docs/a.md", "src/a.py"]).checks == (TESTS, LINT)
    assert choose(settings, []).checks == (TESTS, LINT), "nothing known counts as code"
    off = choose(GateSettings((TESTS, LINT), disabled=("lint",)), ["a.py"])
    assert (off.checks, off.left_out) == ((TESTS,), {"lint": "switched off in the configuration"})


def test_a_verdict_holds_for_exactly_these_checks_in_this_environment() -> None:
    code, docs = (choose(GateSettings((TESTS, LINT)), [path]) for path in ("a.py", "a.md"))
    assert len({gate_key(code, "linux"), gate_key(docs, "linux"), gate_key(code, "darwin")}) == 3
    assert gate_key(code, "linux") == gate_key(choose(GateSettings((TESTS, LINT)), ["b.py"]), "linux")
    assert sys.executable in tool_chain([("env", "-i", sys.executable, "-c", "pass")])


def test_neighbours_run_side_by_side_and_the_first_red_batch_is_the_last(tmp_path: Path) -> None:
    # Each of the two waits for a file of the other: one after the other they would never end.
    meet = "import pathlib, time\npathlib.Path('{}').touch()\nwhile not pathlib.Path('{}').exists(): time.sleep(.01)"
    pair = (
        python(meet.format("a", "b"), name="one", parallel=True),
        python(meet.format("b", "a"), name="two", parallel=True),
    )
    red = python("raise SystemExit(3)", name="red")
    assert batches((*pair, red, red)) == [pair, (red,), (red,)]
    verdict = run_checks((*pair, red, python("pass", name="never")), tmp_path, {}, tmp_path / "logs")
    assert [(one.name, one.passed) for one in verdict.results] == [("one", True), ("two", True), ("red", False)]
    assert verdict.why == "check red failed with code 3"
    assert Verdict.of(False, verdict.to_json()) == verdict


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("a.py   10   1   90%\nTOTAL      100     13    87%\n", 87.0),
        ("ok  pkg 0.1s\ncoverage: 81.2% of statements\n", 81.2),
        ("File      | % Stmts |\nAll files |   85.3 |\n", 85.3),
        ('<?xml version="1.0"?><coverage line-rate="0.905" version="7">', 90.5),
        ("TN:\nSF:a.js\nLF:10\nLH:5\nend_of_record\nSF:b.js\nLF:10\nLH:10\n", 75.0),
        ('{"totals": {"percent_covered": 66.6}}', 66.6),
        ("10 passed", None),
        ('{"totals": 3}', None),
    ],
)
def test_coverage_is_read_from_what_tools_leave(text: str, percent: float | None) -> None:
    assert covered(text) == (None if percent is None else pytest.approx(percent))


def test_too_little_coverage_and_a_missing_report_are_red(tmp_path: Path) -> None:
    says = python("print('TOTAL 10 2 80%')", min_coverage=80)
    asks_more = python("print('TOTAL 10 2 80%')", min_coverage=80.5)
    silent = python("pass", min_coverage=1, coverage_report="coverage.xml")
    assert run_checks((says,), tmp_path, {}, tmp_path / "logs").passed
    assert "80.0 %, at least 80.5 %" in run_checks((asks_more,), tmp_path, {}, tmp_path / "logs").results[0].tail
    assert "left no coverage report" in run_checks((silent,), tmp_path, {}, tmp_path / "logs").results[0].tail


def test_the_last_opinion_counts_whatever_stands_around_it() -> None:
    answer = '{"approved": false, "findings": [{"path": "a.py", "line": 3, "what": "no"}]}'
    found = opinion_in(f'Let me see {{"x": 1}}.\n```json\n{answer}\n```')
    assert found is not None
    assert (found.approved, found.findings) == (False, ("a.py:3: no",))
    assert opinion_in('{"approved": "yes"}') is None
    assert opinion_in("looks good to me") is None


def test_a_reviewer_who_cannot_be_read_is_asked_once_more_and_then_refuses(tmp_path: Path) -> None:
    change = Reviewed("bd-1", "Title", tmp_path / "change.diff")
    stubborn = Review((sys.executable, "-c", "print('fine')"))
    said = ask(stubborn, change, tmp_path, {}, tmp_path)
    assert not said.passed
    assert "no readable verdict in two tries" in said.tail
    strict = "import sys; print('{\"approved\": true}' if 'exactly one JSON object' in sys.argv[1] else 'hm')"
    assert ask(Review((sys.executable, "-c", strict, "{prompt}")), change, tmp_path, {}, tmp_path).passed


def test_presets_ask_only_what_the_files_declare(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[tool.ruff]\n", "uv.lock": "", "tests/test_a.py": "",
        "package.json": json.dumps({"scripts": {"test": "vitest", "dev": "vite"}}), "pnpm-lock.yaml": "",
        "Makefile": "test:\n\tpytest\n",
    }  # fmt: skip
    found = detect(files, lambda path: files.get(path, ""))
    assert [preset.name for preset in found] == ["python-uv", "node"], "a Makefile speaks when nothing else does"
    assert [check.name for check in all_checks(found)] == ["lint", "tests", "install", "test"]
    assert [preset.name for preset in detect(["Makefile"], lambda path: files[path])] == ["make"]
    assert detect(["a.txt"], lambda path: "") == []
    tables = tomllib.loads(as_toml(detect(["go.mod"], lambda path: "")))["gate"]
    assert read_gate(tables, tmp_path / "config.toml").checks[0].run == ("go", "build", "./...")

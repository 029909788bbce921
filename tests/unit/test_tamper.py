"""A change that makes the gate say less is noticed, ordinary work is not."""

import pytest

from coordinator.merging.tamper import Watch, read_diff, suspicions

WATCH = Watch(("tests/**", "**/test_*"), ("Makefile", "**/conftest.py"))


def diff(path: str, *lines: str, head: str = "") -> str:
    return (
        f"diff --git {path} {path}\n{head}index 1..2 100644\n--- {path}\n+++ {path}\n@@ -1 +1 @@\n"
        + "\n".join(lines)
        + "\n"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (diff("tests/test_a.py", "-    assert total == 3", "+    pass"), "lost 1 assertions"),
        (diff("tests/test_a.py", "+@pytest.mark.skip"), "switches a test off"),
        (diff("src/test_b.ts", "+it.skip('works', () => {"), "switches a test off"),
        (diff("Makefile", "-test: unit", "+test:"), "decides what the gate does and was changed"),
        (diff("tests/test_a.py", "-def test():", "-    assert one", head="deleted file mode 100644\n"), "was deleted"),
    ],
)  # fmt: skip
def test_what_a_person_must_look_at(text: str, told: str) -> None:
    (why,) = suspicions(read_diff(text), WATCH)
    assert told in why


@pytest.mark.parametrize(
    "text",
    [
        diff("tests/test_a.py", "-    assert total == 3", "+    assert total == 4"),
        diff("tests/test_a.py", "-    assert total == 3") + diff("tests/test_b.py", "+    assert total == 3"),
        diff("src/app.py", "-    assert total", "+    skip()"),
        diff("tests/data.json", "-{}", head="deleted file mode 100644\n"),
        "",
    ],
)
def test_what_is_ordinary_work(text: str) -> None:
    assert suspicions(read_diff(text), WATCH) == ()

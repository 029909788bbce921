"""The pool follows the work while a coordinator runs: slots for issues that wait, fewer when nobody needs them."""

from pathlib import Path

from tests.support.projects import make_place, step, writes


def test_slots_are_made_for_waiting_issues_and_go_when_they_stand_idle(tmp_path: Path) -> None:
    place = make_place(tmp_path / "a project")
    config = place.root / ".agent-worktrees" / "config.toml"
    # Whatever the load of this machine is; an idle slot goes after 0.6 s.
    follows = "size = 1\nmaximum = 3\ngrow_below_load = 1000.0\nidle_minutes = 0.01"
    config.write_text(config.read_text().replace("size = 2", follows).replace("maximum = 2\n", ""))
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text("".join(f'{{"id":"b-{n}","title":"Write {n}.txt","status":"open"}}\n' for n in range(3)))
    for n in range(3):
        go = place.root / ".agent-worktrees" / f"go-{n}"
        waits = step('say = "thinking"') + step(f"""run = ["sh", "-c", "until [ -e '{go}' ]; do sleep 0.05; done"]""")
        place.script(f"b-{n}", waits + writes(f"{n}.txt", f"{n}", f"b-{n}: {n}"))
    place.json("init")
    assert len(place.json("status")["slots"]) == 1
    place.json("spawn", "3", "all")
    try:
        place.until(lambda now: sum(slot["activity"] == "thinking" for slot in now["slots"]) == 3, 60)
        for n in range(2):
            (place.root / ".agent-worktrees" / f"go-{n}").touch()
        left = place.until(lambda now: now["tasks"].get("landed") == 2 and len(now["slots"]) == 1, 60)
        assert [slot["state"] for slot in left["slots"]] == ["leased"]
    finally:
        (place.root / ".agent-worktrees" / "go-2").touch()
    place.until(lambda now: now["tasks"] == {"landed": 3} and not now["coordinator"], 60)
    place.json("cleanup", "--yes")

"""What an attempt leaves where it does not belong, in main checkout or slot: told, kept, and in nobody's way."""

import json
from pathlib import Path

import pytest

from coordinator.guard.strays import find_strays
from coordinator.running.byhand import release_by_hand
from tests.support.guarded import make_guarded
from tests.support.projects import Place
from tests.support.repos import git_out


def test_what_is_written_into_the_main_checkout_is_told_and_kept(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    assert find_strays(guarded.slot).told == ""
    (guarded.root / "docs" / "x.md").write_text("by absolute path\n")
    (guarded.slot / "bob" / "held.py").write_text("left lying\n")
    found = find_strays(guarded.slot)
    assert found.main == ("docs/x.md",)
    assert "bob holds bob/**" in found.slot[0]
    assert (guarded.root / "docs" / "x.md").read_text() == "by absolute path\n"
    guarded.close()


def test_a_release_by_hand_tells_strays_and_keeps_them(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    place = Place(guarded.root)
    (guarded.root / "docs" / "x.md").write_text("by absolute path\n")
    (guarded.slot / "bob" / "held.py").write_text("left lying\n")
    done = place.run("release", guarded.held.slot.name, "--json")
    answer = json.loads(done.stdout)
    assert answer["strays"]["main"] == ["docs/x.md"]
    assert "bob holds bob/**" in answer["strays"]["slot"][0]
    assert "a-1: files of the main checkout were changed" in done.stderr
    assert (guarded.root / "docs" / "x.md").read_text() == "by absolute path\n"
    assert git_out(guarded.root, "show", f"{answer['saved']}:bob/held.py") == "left lying"
    assert "docs/x.md" in place.events("strays.found")[0]["data"]["strays"]
    guarded.close()


@pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
def test_an_edit_that_was_hidden_from_git_is_kept_and_waits_for_nobody(tmp_path: Path, flag: str) -> None:
    guarded = make_guarded(tmp_path)
    guarded.shell(f"git update-index {flag} bob/held.py docs/x.md; echo hidden > bob/held.py; rm docs/x.md")
    saved = release_by_hand(guarded.project, guarded.held.slot.name, keep=False).saved
    assert git_out(guarded.root, "show", f"{saved}:bob/held.py") == "hidden"
    assert (guarded.slot / "bob" / "held.py").read_text() == "held = 1\n"
    assert (guarded.slot / "docs" / "x.md").read_text() == "x\n"
    assert {line[0] for line in git_out(guarded.slot, "ls-files", "-v").splitlines()} == {"H"}
    guarded.close()

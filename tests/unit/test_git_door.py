"""The one door to git."""

import os

import pytest

from resources.system.errors import Failure
from resources.system.git import git
from tests.support.repos import make_repository


def test_git_in_a_folder_that_is_gone_never_answers_for_the_working_directory(tmp_path, monkeypatch):
    root = make_repository(tmp_path / "a repository", {"kept.txt": "kept\n"})
    monkeypatch.chdir(root)  # where a command is started is the world that it sees
    (root / "kept.txt").write_text("an edit\n")
    gone = tmp_path / "a slot that is gone"
    with pytest.raises(Failure):
        git(gone, "reset", "--hard")
    assert git(gone, "rev-parse", "--show-toplevel", check=False).text == ""
    assert (root / "kept.txt").read_text() == "an edit\n"
    assert git(os.curdir, "rev-parse", "--show-toplevel").text == str(root)

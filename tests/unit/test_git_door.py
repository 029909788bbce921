"""The one door to git."""

import os

import pytest

from resources.system.errors import Failure
from resources.system.git import Change, commit_messages, dirty_files, git, state_of
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


def test_one_process_tells_the_head_and_every_path_that_is_not_committed(tmp_path):
    root = tmp_path / "a repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / "first file").write_text("x\n")
    assert state_of(root) == ("", [Change("first file", "", gone=False)])
    root = make_repository(tmp_path / "with commits", {"a b.txt": "1\n" * 9, "both.txt": "base\n", "gone.txt": "x\n"})
    head = git(root, "rev-parse", "HEAD").text
    git(root, "switch", "--quiet", "--create", "side")
    (root / "both.txt").write_text("side\n")
    git(root, "commit", "--quiet", "--all", "--message", "side")
    git(root, "switch", "--quiet", "main")
    assert state_of(root) == (head, [])
    (root / "both.txt").write_text("main\n")
    git(root, "commit", "--quiet", "--all", "--message", "main")
    git(root, "merge", "side", check=False)
    git(root, "mv", "a b.txt", "c d.txt")
    (root / "gone.txt").unlink()
    (root / "in a folder").mkdir()
    (root / "in a folder" / "new -> file").write_text("n\n")
    assert sorted(dirty_files(root)) == ["a b.txt", "both.txt", "c d.txt", "gone.txt", "in a folder/new -> file"]
    now, changes = state_of(root)
    assert {one.path for one in changes if one.gone} == {"a b.txt", "gone.txt"}
    blob = git(root, "rev-parse", f"{head}:gone.txt").text
    assert [one.staged for one in changes if one.path in ("both.txt", "gone.txt")] == [f"100644 {blob}", ""]
    assert now == git(root, "rev-parse", "HEAD").text != head


def test_no_log_is_spoilt_by_signatures_nor_runs_the_program_that_checks_them(tmp_path):
    root = make_repository(tmp_path / "a repository", {"a.txt": "x\n"})
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\ntouch "{tmp_path}/ran"\necho "not good" >&2\nexit 1\n')
    spy.chmod(0o755)
    for name, value in (("log.showSignature", "true"), ("gpg.program", str(spy))):
        git(root, "config", name, value)
    plain = git(root, "cat-file", "commit", "HEAD").out.decode()
    head, _, message = plain.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    signed = git(
        root, "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{head}\n{signature}\n\n{message}".encode()
    )
    assert commit_messages(root, [signed.text]) == [(signed.text, message)]
    assert not (tmp_path / "ran").exists()

"""What a tool call writes and what in it is refused, as far as text can tell."""

import json

import pytest

from coordinator.guard.commands import Reading
from coordinator.guard.deeds import GIT, GONE
from coordinator.guard.toolcall import UnreadableCallError, read_call


def writes(command: str) -> list[tuple]:
    found = Reading("/s", {"HOME": "/home/ann"}).read(command).deeds
    return [(deed.cwd, deed.target, deed.extent) for deed in found if deed.extent != GIT]


@pytest.mark.parametrize(
    ("command", "targets"),
    [
        ("echo hi > a.txt 2>&1", ["a.txt"]),
        ("echo hi >>'a b.txt' 2>/dev/null", ["a b.txt", "/dev/null"]),
        ("make 2>&1 | tee -a log.txt", ["log.txt"]),
        ("cat > f.py <<'EOF'\nx > y\nit's\nEOF\necho done > g", ["f.py", "g"]),
        ("git commit -m \"$(cat <<'EOF'\nit's a > b\nEOF\n)\"", []),
        ("sed -i s/a/b/ x.py y.py", ["x.py", "y.py"]),
        ("sed -i.bak -e s/a/b/ x.py", ["x.py"]),
        ("sed -n s/a/b/p x.py", []),
        ("perl -pi -e 's/a/b/' x.py", ["x.py"]),
        ("for f in a b; do sed -i s/x/y/ $f.py; done", ["a.py", "b.py"]),
        ('X=src/a.py; echo > "$X"', ["src/a.py"]),
        ("bash -c 'echo a > b'", ["b"]),
        ("bash <<EOF\necho a > b\nEOF", ["b"]),
        ("eval 'rm x'", ["x"]),
        ("echo x > ~/notes", ["/home/ann/notes"]),
        ("timeout -k 5 10 env A=b tee f", ["f"]),
        ("nice agent-coord --quiet mutex run --name db --wait 5 -- timeout 9 tee f", ["f"]),
        ("agent-coord mutex run tee f", ["f"]),
        ("agent-coord mail inbox", []),
        ("truncate -s 0 a; touch b; dd if=/x of=c bs=1; install -m 644 s d", ["a", "b", "c", "d"]),
        ("ln -sf ../x y; chmod +x z; chmod -x w", ["y", "z", "w"]),
        ("rm -f a && unlink b; mv c d", ["a", "b", "c", "d"]),
        ("curl -sS -o out.json http://x; wget -O o2 http://y", ["out.json", "o2"]),
        ("python -c \"open('x.py','w').write('')\"", ["x.py"]),
        ("python3 - <<'E'\nfrom pathlib import Path\nPath('p.py').write_text('')\nE", ["p.py"]),
        ("node -e \"require('fs').writeFileSync('n.js', '')\"", ["n.js"]),
        ("python -c \"print(open('x.py').read())\"", []),
        ("cat <<'E' | git apply\n--- a/f.py\n+++ b/f.py\nE", ["f.py"]),
        ("apply_patch <<'E'\n*** Begin Patch\n*** Update File: f.py\n*** Move to: g.py\nE", ["f.py", "g.py"]),
        ("find . -name '*.pyc' -exec rm {} \\;", [None]),
        ("grep -rl x | xargs sed -i s/x/y/", [None]),
        ("echo x > $UNSET", [None]),
        ("grep -r 'a > b' src | head # > c", []),
        ("diff <(ls a) <(ls b) > d", ["d"]),
        ("git rm a.py; git mv b.py c.py", ["a.py", "b.py", "c.py"]),
    ],
)
def test_targets(command: str, targets: list) -> None:
    assert [target for _, target, _ in writes(command)] == targets


def test_the_folder_is_followed() -> None:
    assert writes("cd a && (cd b; touch x); touch y; cd /z; touch w") == [
        ("/s/a/b", "x", False), ("/s/a", "y", False), ("/z", "w", False),
    ]  # fmt: skip


def test_how_far_a_write_goes() -> None:
    assert writes("rm -rf src")[0][2] == GONE
    assert writes("cp a/b.py lib")[0][1:] == ("lib", "b.py")


@pytest.mark.parametrize(
    "command",
    [
        "git stash", "git stash pop", "git reset --hard", "git reset --hard HEAD~1", "git rebase main",
        "git clean -fdx", "git checkout -f main", "git checkout -- .", "git checkout .", "git restore .",
        "git restore --staged --worktree .", "git push --force", "git push -f origin x", "git push origin +x",
        "git push --force-with-lease", "git commit --no-verify -m x", "git commit -nm x", "git commit -anm x",
        "git sparse-checkout disable", "git sparse-checkout set src", "git worktree remove x", "git worktree prune",
        "git worktree add ../x", "git config core.hooksPath /dev/null", "git -c core.hooksPath=/dev/null commit -m x",
        "git update-ref refs/heads/x y", "git branch -D x", "git branch -f main", "git config user.name x",
        "git gc --prune=now", "git reflog expire --all", "git switch --discard-changes main", "git filter-branch x",
        "cd src && git stash", "bash -c 'git stash'", "true && sudo git clean -f", "GIT_CONFIG_COUNT=1 git commit",
        "env GIT_DIR=/x git add .", "git --git-dir=/x add .", "find . -exec git stash \\;", "echo $(git stash)",
        "git merge --no-verify x", "git symbolic-ref HEAD refs/heads/x", "xargs git stash",
        "agent-coord mutex run -- git stash",
        "git -C sub reset --hard",
        "if true; then git stash; fi",
    ],
)  # fmt: skip
def test_git_commands_that_lose_or_share_work_are_refused_with_the_safe_way(command: str) -> None:
    ((_, why),) = Reading("/s", {}).read(command).refusals[:1]
    assert len(why) > 40


@pytest.mark.parametrize(
    "command",
    [
        "git status", "git stash list", "git reset HEAD x", "git reset --soft HEAD~1", "git rebase --abort",
        "git clean -n", "git checkout -- a.py", "git checkout -b x", "git restore a.py", "git restore --staged .",
        "git push origin x", "git commit -m 'no -n here'", "git commit -am n", "git commit --amend --no-edit",
        "git commit -mn", "git merge main", "git config --get user.name", "git config user.name", "git worktree list",
        "git branch --list", "git branch x", "git log -n 5", "git config --worktree x.y z", "echo 'git stash'",
        "git -c user.name=x commit -m y", "git sparse-checkout list", "git switch -c x",
    ],
)  # fmt: skip
def test_ordinary_git_passes(command: str) -> None:
    assert Reading("/s", {}).read(command).refusals == []


def call(tool: str, **given) -> bytes:
    return json.dumps({"tool_name": tool, "tool_input": given, "hook_event_name": "PreToolUse", "cwd": "/s"}).encode()


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        (call("Write", file_path="/s/a"), ["/s/a"]),
        (call("MultiEdit", file_path="b", edits=[]), ["b"]),
        (call("NotebookEdit", notebook_path="n.ipynb"), ["n.ipynb"]),
        (call("apply_patch", command="*** Add File: a\n+x\n*** Delete File: b\n"), ["a", "b"]),
        (call("shell", command=["bash", "-lc", "echo > c"]), ["c"]),
        (call("shell", command=["rm", "a b"]), ["a b"]),
        (call("mcp__files__move_file", source="a", destination="b"), ["b", "a"]),
        (call("Read", file_path="/etc/passwd"), []),
        (call("Grep", pattern="x", path="/"), []),
    ],
)
def test_both_programs_calls_are_read(text: bytes, targets: list[str]) -> None:
    assert [deed.target for deed in read_call(text, "/", {})[1].deeds] == targets


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b'"x"', b'{"tool_name":"Write"}', b'{"tool_name":"","tool_input":{}}', b"\xff\xfe",
        call("Write"), call("Bash"), call("Bash", command="echo 'unclosed"), call("Bash", command="cat <<E\nno end"),
        call("apply_patch", command="nothing"), call("Bash", command=7), b'{"tool_name":"Bash","tool_input":"ls"}',
        json.dumps({"hook_event_name": "Stop", "tool_name": "Write", "tool_input": {"file_path": "x"}}).encode(),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_let_through(text: bytes) -> None:
    with pytest.raises(UnreadableCallError):
        read_call(text, "/", {})

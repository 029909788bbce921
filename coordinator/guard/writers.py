"""The programs that are known to write files, and which of their words name those files. Pure, and light.

Words may hold what the shell has yet to work out (`coordinator.guard.shell`); they are handed through as they are.
"""

from __future__ import annotations

from collections.abc import Callable

from coordinator.guard.deeds import GONE

Targets = list[tuple[str, bool | str]]
"""Words with how far the write goes: the extent of a `Deed`."""


def plain(words: list[str], valued: str = "") -> list[str]:
    """The words that are no options; short options in `valued` take the next word with them."""
    found: list[str] = []
    skip = only = False
    for word in words:
        if skip:
            skip = False
        elif only or not word.startswith("-") or word == "-":
            found.append(word)
        elif word == "--":
            only = True
        else:
            skip = len(word) == 2 and word[1] in valued
    return found


def option(words: list[str], *names: str) -> str | None:
    """The value of an option, as `-o x`, `-ox`, `--name x` or `--name=x`."""
    for at, word in enumerate(words):
        for name in names:
            if word == name:
                return words[at + 1] if at + 1 < len(words) else None
            if name.startswith("--") and word.startswith(f"{name}="):
                return word[len(name) + 1 :]
            if not name.startswith("--") and word.startswith(name):
                return word[len(name) :]
    return None


def has_flag(words: list[str], letters: str, *names: str) -> bool:
    """Whether a short flag (also in a bundle) or a long option is there."""
    short = any(word[:1] == "-" != word[1:2] and any(one in word[1:] for one in letters) for word in words)
    return short or any(word in names for word in words)


def _all(words: list[str], _: str) -> Targets:
    return [(word, False) for word in plain(words)]


def _remove(words: list[str], _: str) -> Targets:
    return [(word, GONE) for word in plain(words)]


def _copy(words: list[str], _: str) -> Targets:
    into = option(words, "-t", "--target-directory")
    names = plain(words, "tSmog")
    sources, target = (names, into) if into is not None else (names[:-1], names[-1] if len(names) > 1 else None)
    if target is None:
        return []
    # Only the file system knows whether the target is a folder.
    return [(target, source.rstrip("/").rpartition("/")[2]) for source in sources]


def _move(words: list[str], body: str) -> Targets:
    names = plain(words, "tS")
    sources = names if option(words, "-t", "--target-directory") is not None else names[:-1]
    return [*((source, GONE) for source in sources), *_copy(words, body)]


def _link(words: list[str], body: str) -> Targets:
    names = plain(words, "tS")
    return [(names[0].rpartition("/")[2], False)] if len(names) == 1 else _copy(words, body)


def _edit(words: list[str], _: str) -> Targets:
    """`sed -i`, `perl -i`: the first word is the script unless an option gives it."""
    if not any(word.startswith("--in-place") or (word[:1] == "-" != word[1:2] and "i" in word[1:]) for word in words):
        return []
    names = [word for word in plain(words, "ef") if word]
    given = any(word in ("-e", "-f") or word.startswith(("--expression", "--file")) for word in words)
    return [(word, False) for word in (names if given else names[1:])]


def _output(*names: str) -> Callable[[list[str], str], Targets]:
    def targets(words: list[str], _: str) -> Targets:
        value = option(words, *names)
        return [] if value in (None, "-") else [(str(value), False)]

    return targets


def _dd(words: list[str], _: str) -> Targets:
    return [(word[3:], False) for word in words if word.startswith("of=")]


def _mode(words: list[str], _: str) -> Targets:
    names = [word for word in words if not word.startswith("-")]
    taking = any(word[:1] == "-" and word[1:2] in "rwxst" for word in words)
    return [(word, has_flag(words, "R")) for word in (names if taking else names[1:])]


def _truncate(words: list[str], _: str) -> Targets:
    return [(word, False) for word in plain(words, "sr")]


def patched(text: str, strip: int = 1) -> Targets:
    """The files that a unified diff names."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        if line.startswith(("--- ", "+++ ", "rename to ", "rename from ")):
            name = line.split(" ", 1)[1].removeprefix("to ").removeprefix("from ").split("\t")[0].strip()
            cut = 0 if line.startswith("rename") else strip
            if name != "/dev/null":
                found["/".join(name.split("/")[cut:]) or name] = None
    return [(name, False) for name in found]


def envelope(text: str) -> Targets:
    """The files that a patch in the form of `apply_patch` names."""
    heads = ("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ")
    lines = (line.split(": ", 1) for line in text.splitlines() if line.startswith(heads))
    return [(name.strip(), GONE if head.startswith("*** Delete") else False) for head, name in lines]


def _enveloped(words: list[str], body: str) -> Targets:
    return envelope("\n".join([*words, body]))


def _patch(words: list[str], body: str) -> Targets:
    strip = option(words, "-p", "--strip")
    listed = patched(body, int(strip) if strip and strip.isdigit() else 1)
    # A patch in a file is read by nobody here; what it writes is not known then.
    return listed or ([("\0\0", False)] if "--dry-run" not in words else [])


WRITERS: dict[str, Callable[[list[str], str], Targets]] = {
    "tee": _all, "touch": _all, "shred": _all, "unlink": _remove, "rm": _remove, "rmdir": _remove, "cp": _copy,
    "install": _copy, "rsync": _copy, "scp": _copy, "mv": _move, "ln": _link, "sed": _edit, "gsed": _edit, "dd": _dd,
    "truncate": _truncate, "chmod": _mode, "chown": _mode, "patch": _patch, "curl": _output("-o", "--output"),
    "wget": _output("-O", "--output-document"), "sort": _output("-o", "--output"), "apply_patch": _enveloped,
}  # fmt: skip


def targets_of(name: str, words: list[str], body: str) -> Targets:
    """What the program `name` writes when it is given these words and this text."""
    return WRITERS[name](words, body)

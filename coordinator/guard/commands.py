"""What a shell command writes to, and what in it is refused whatever it writes to. Pure, and light.

It reads what is written plainly: redirections, the programs that are known to write, small programs in other
languages, one shell inside another. What only running it could tell (a variable that was never set here, `xargs`,
a script) becomes a deed with no target; whether that passes is the policy's to say. The promise is kept by the
landing check, this is the sign at the door.
"""

from __future__ import annotations

from coordinator.guard.deeds import Deed, Deeds
from coordinator.guard.git_safety import read_git
from coordinator.guard.shell import Simple, parse
from coordinator.guard.writers import WRITERS, targets_of

_KEYWORDS = frozenset(
    ("if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "time", "fi", "done", "esac")
)
_SHELLS = frozenset(("sh", "bash", "zsh", "dash", "ksh"))
_WRAPPERS = {
    "sudo": "ugCp", "env": "uCS", "nohup": "", "nice": "n", "ionice": "cn", "timeout": "ks", "command": "", "exec": "a",
    "builtin": "", "setsid": "", "stdbuf": "ioe", "xargs": "IdEnLPsa", "caffeinate": "", "doas": "u", "unbuffer": "",
}  # fmt: skip
"""Programs that run the program that follows them, with the short options of theirs that take a value."""

_INTERPRETERS = ("python", "pypy", "node", "ruby", "perl", "deno", "bun")
DEEPEST = 8
"""Shells inside shells that are followed."""


class Reading:
    """What was found in a command: `deeds`, and `refusals` as (folder, sentence)."""

    def __init__(self, cwd: str, variables: dict[str, str]) -> None:
        self.cwd = cwd
        self.variables: dict[str, list[str]] = {name: [value] for name, value in variables.items()}
        self.deeds: list[Deed] = []
        self.refusals: list[tuple[str, str]] = []
        self.shared = Deeds([], [])
        """What counts beside these in a checkout of several agents."""

    def read(self, text: str, level: int = 0) -> Reading:
        """Add what the text does. Raises shell.UnreadableError."""
        if level > DEEPEST:
            self.deeds.append(Deed(self.cwd, None))
            return self
        folders, fed = [self.cwd], ""
        for command in parse(text):
            command.body = command.body or (fed if command.piped else "")
            fed = command.body if command.words[:1] == ["cat"] else "\n".join(command.words[1:])
            del folders[command.depth + 1 :]
            folders += [folders[-1]] * (command.depth + 1 - len(folders))
            self.cwd = folders[-1]
            self._simple(command, level)
            folders[-1] = self.cwd
        self.cwd = folders[0]
        return self

    def _simple(self, command: Simple, level: int) -> None:
        for target in command.writes:
            self._write(target)
        words = _bare(command.words)
        while words and "=" in words[0] and words[0].partition("=")[0].removesuffix("+").isidentifier():
            name, _, value = words[0].partition("=")
            self._assign(name.removesuffix("+"), value)
            words = words[1:]
        if words[:1] == ["for"] and "in" in words:
            self.variables[words[1]] = [value for word in words[3:] for value in self._values(word)]
            return
        words = self._unwrapped(words)
        if words:
            self._program(words[0].rpartition("/")[2], words[1:], command, level)

    def _assign(self, name: str, value: str) -> None:
        if name.startswith("GIT_CONFIG") or name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_COMMON_DIR"):
            why = f"{name} makes git act elsewhere or without its hooks: work in your slot, without it"
            self.refusals.append((self.cwd, why))
        self.variables[name] = self._values(value)

    def _unwrapped(self, words: list[str]) -> list[str]:
        while words and (name := words[0].rpartition("/")[2]) in _WRAPPERS:
            words = words[1:]
            while words and words[0].startswith("-"):
                takes = len(words[0]) == 2 and words[0][1] in _WRAPPERS[name]
                words = words[2 if takes else 1 :]
            if name == "timeout":
                words = words[1:]
            while name == "env" and words and "=" in words[0]:
                self._assign(*words[0].split("=", 1))
                words = words[1:]
            if name == "xargs" and words:
                words = [*words, "\0\0"]
        inner = _under_mutex(words)
        return self._unwrapped(inner) if inner else words

    def _program(self, name: str, words: list[str], command: Simple, level: int) -> None:
        if name in ("cd", "pushd"):
            self._enter(words)
        elif name in _SHELLS or name == "eval":
            self._shell(name, words, command, level)
        elif name == "git":
            self._git(words, command)
        elif name.rstrip("0123456789.") in _INTERPRETERS:
            self._code(name, words, command)
        elif name == "find":
            self._find(words, command, level)
        elif name in WRITERS:
            self._known(name, words, command)

    def _known(self, name: str, words: list[str], command: Simple) -> None:
        for target, extent in targets_of(name, words, command.body):
            self._write(target, extent)

    def _git(self, words: list[str], command: Simple) -> None:
        found = read_git([self._value(word) for word in words], command.body)
        self.refusals += [(self._folder(found.folder), why) for why in found.refusals]
        for target, extent in found.targets:
            self._write(target, extent, found.folder)
        targets, refusals = found.shared
        self.shared.refusals.extend((self._folder(found.folder), why) for why in refusals)
        for target, extent in targets:
            self._write(target, extent, found.folder, self.shared.deeds)

    def _enter(self, words: list[str]) -> None:
        folder = self._value(words[-1]) if words else self._value("\0HOME\0")
        if folder is not None and folder != "-":
            self.cwd = folder if folder.startswith("/") else f"{self.cwd}/{folder}"

    def _shell(self, name: str, words: list[str], command: Simple, level: int) -> None:
        if name == "eval":
            texts: list[str | None] = [" ".join(word if "\0" not in word else "" for word in words)]
        else:
            flags = [at for at, word in enumerate(words) if word.startswith("-") and word.endswith("c")]
            texts = [self._value(word) for word in words[flags[0] + 1 : flags[0] + 2]] if flags else [command.body]
        for text in texts:
            if text is None:
                self.deeds.append(Deed(self.cwd, None))
            else:
                inner = Reading(self.cwd, {})
                inner.variables = dict(self.variables)
                inner.read(text, level + 1)
                self.deeds += inner.deeds
                self.refusals += inner.refusals
                self.shared.deeds.extend(inner.shared.deeds)
                self.shared.refusals.extend(inner.shared.refusals)

    def _code(self, name: str, words: list[str], command: Simple) -> None:
        flags = [word for word in words if word[:1] == "-" != word[1:2]]
        if name.startswith(("perl", "ruby")) and any("i" in flag.partition("e")[0] for flag in flags):
            self._known("sed", words, command)
            return
        from coordinator.guard.programs import opened

        for path in opened(command.body + "\n".join(word for word in words if "(" in word)):
            self._write(path)

    def _find(self, words: list[str], command: Simple, level: int) -> None:
        roots = words[: next((at for at, word in enumerate(words) if word[:1] in "-(!"), len(words))]
        if "-delete" in words:
            for root in roots or ["."]:
                self._write(root, True)
        for at, word in enumerate(words):
            if word in ("-exec", "-execdir", "-ok", "-okdir"):
                inner = words[at + 1 :]
                end = next((place for place, one in enumerate(inner) if one in (";", "+")), len(inner))
                self._program(
                    inner[0] if inner else "", [one.replace("{}", "\0\0") for one in inner[1:end]], command, level
                )

    def _write(self, word: str, extent: bool | str = False, folder: str = "", deeds: list[Deed] | None = None) -> None:
        for value in self._values(word) or [None]:
            (self.deeds if deeds is None else deeds).append(Deed(self._folder(folder), value, extent))

    def _folder(self, folder: str) -> str:
        return folder if folder.startswith("/") else f"{self.cwd}/{folder}" if folder else self.cwd

    def _value(self, word: str) -> str | None:
        values = self._values(word)
        return values[0] if len(values) == 1 else None

    def _values(self, word: str) -> list[str]:
        """What a word can stand for; nothing where that is unknown. The signs of a glob stay in it."""
        found = [""]
        for at, part in enumerate(word.split("\0")):
            fits = [part] if at % 2 == 0 else [part] if part in ("*", "?", "[") else self.variables.get(part, [])
            found = [head + tail for head in found for tail in fits][:64]
        return found


def _bare(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at] in _KEYWORDS:
        at += 1
    return words[at:]


def _under_mutex(words: list[str]) -> list[str]:
    """The program that `agent-coord mutex run` runs, empty when the words are another command."""
    ours = bool(words) and words[0].rpartition("/")[2] == "agent-coord"
    if not ours or "mutex" not in words or "run" not in words:
        return []
    rest = words[words.index("run") + 1 :]
    while rest and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in ("--name", "--wait") else 1 :]
    return rest

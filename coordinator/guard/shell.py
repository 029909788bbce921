"""Shell text cut into simple commands, as far as that can be told without running it.

Quotes, escapes, operators, redirections, here-documents, substitutions and groups are followed; the flow of control
is not: every branch counts as taken. A word is text in which what only the shell could know stands between two NUL
characters: the name of a variable, or nothing where even a name is missing. Light: no import at all.
"""

from __future__ import annotations

UNKNOWN = "\0\0"
"""In a word: something that only the shell knows."""

_OPERATORS = ("&&", "||", ";;", ";", "|&", "|", "&", "\n")
_REDIRECTS = ("<<<", "<<-", "<<", "<>", "<&", "&>>", "&>", ">>", ">|", ">&", ">", "<")
_WRITING = frozenset(("<>", "&>>", "&>", ">>", ">|", ">&", ">"))
_BREAKS = frozenset(" \t\n;|&()<>")
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


class Simple:
    """One simple command: its words, the files that its redirections write and read, what is fed to it as text.

    `depth` is how many groups and substitutions it stands in: a `cd` there ends with them. `piped`: it reads what the
    command before it writes.
    """

    def __init__(self, depth: int, piped: bool = False) -> None:
        self.words: list[str] = []
        self.writes: list[str] = []
        self.reads: list[str] = []
        self.body = ""
        self.depth = depth
        self.piped = piped

    def __bool__(self) -> bool:
        return bool(self.words or self.writes)


class UnreadableError(Exception):
    """The text ends inside a quote, a here-document or a substitution."""


def parse(text: str) -> list[Simple]:
    """The simple commands of the text, those in substitutions before the one that uses them.

    Raises UnreadableError.
    """
    scanner = _Scanner(text)
    scanner.commands("")
    return scanner.found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\\\n", "")
        self.at = 0
        self.depth = 0
        self.found: list[Simple] = []
        self.bodies: list[tuple[Simple, str]] = []

    def commands(self, closing: str) -> None:
        """Read commands up to `closing` (")" or "`"), or up to the end where it is ""."""
        command, outside = Simple(self.depth), self.depth
        while self.at < len(self.text):
            if self.text[self.at] == closing and self.depth == outside:
                break
            command = self.step(command)
        else:
            if closing:
                raise UnreadableError(f"a {closing} is missing")
        self.keep(command)
        if not closing and self.bodies:
            self.here_documents()

    def step(self, command: Simple) -> Simple:
        """Read one operator, redirection, comment or word."""
        char = self.text[self.at]
        if char in " \t":
            self.at += 1
        elif char == "#" and (self.at == 0 or self.text[self.at - 1] in _BREAKS):
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
        elif char in "()":
            return self.group(command, char)
        elif self.redirected(command):
            pass
        elif operator := self.next_of(_OPERATORS):
            self.at += len(operator)
            self.keep(command)
            if operator == "\n":
                self.here_documents()
            return Simple(self.depth, operator in ("|", "|&"))
        else:
            command.words.append(self.word())
        return command

    def keep(self, command: Simple) -> None:
        if command:
            self.found.append(command)

    def group(self, command: Simple, char: str) -> Simple:
        """`(…)`; also the parentheses of `f() {` and `case x in y)`, which change nothing here."""
        self.keep(command)
        self.at += 1
        self.depth = max(0, self.depth + (1 if char == "(" else -1))
        return Simple(self.depth)

    def next_of(self, signs: tuple[str, ...]) -> str:
        return next((sign for sign in signs if self.text.startswith(sign, self.at)), "")

    def redirected(self, command: Simple) -> bool:
        """Read a redirection with its target, if one begins here."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at].isdigit():
            self.at += 1
        sign = self.next_of(_REDIRECTS)
        if not sign or self.text.startswith(("<(", ">("), self.at):
            self.at = start
            return False
        self.at += len(sign)
        self.skip_blanks()
        if sign in ("<<", "<<-"):
            self.bodies.append((command, self.word()))
            return True
        target = self.word()
        if sign == "<<<":
            command.body += target
        elif sign not in _WRITING:
            command.reads.append(target)
        elif not (sign == ">&" and (target.isdigit() or target == "-")):
            command.writes.append(target)
        return True

    def skip_blanks(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def here_documents(self) -> None:
        """The lines after a command line, as far as its `<<` ask for them."""
        for command, mark in self.bodies:
            lines = []
            while True:
                if self.at >= len(self.text):
                    raise UnreadableError(f"the here-document has no end: {mark}")
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line, self.at = self.text[self.at : end], end + 1
                if line.strip("\t") == mark:
                    break
                lines.append(line)
            command.body += "\n".join(lines) + "\n"
        self.bodies = []

    def word(self) -> str:
        """One word, its quotes removed."""
        pieces: list[str] = []
        if self.text.startswith("~", self.at):
            self.at += 1
            pieces.append(UNKNOWN if self.name() else "\0HOME\0")
        while self.at < len(self.text):
            if self.text[self.at] in _BREAKS and not self.text.startswith(("<(", ">("), self.at):
                break
            pieces.append(self.piece())
        return "".join(pieces)

    def name(self) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in _NAME:
            self.at += 1
        return self.text[start : self.at]

    def piece(self) -> str:
        char = self.text[self.at]
        self.at += 1
        match char:
            case "'":
                return self.until("'")
            case '"':
                return self.double()
            case "\\":
                self.at += 1
                return self.text[self.at - 1 : self.at]
            case "$" | "`" | "<" | ">":
                return self.expansion(char)
            case "*" | "?" | "[":
                return f"\0{char}\0"
        return char

    def until(self, mark: str) -> str:
        end = self.text.find(mark, self.at)
        if end < 0:
            raise UnreadableError(f"a quote is not closed: {mark}")
        piece, self.at = self.text[self.at : end], end + 1
        return piece

    def double(self) -> str:
        pieces = []
        while self.at < len(self.text) and self.text[self.at] != '"':
            char = self.text[self.at]
            self.at += 1
            if char in "$`":
                pieces.append(self.expansion(char))
            elif char == "\\" and self.text[self.at : self.at + 1] in ('"', "\\", "$", "`"):
                pieces.append(self.text[self.at])
                self.at += 1
            else:
                pieces.append(char)
        if self.at >= len(self.text):
            raise UnreadableError('a quote is not closed: "')
        self.at += 1
        return "".join(pieces)

    def expansion(self, sign: str) -> str:
        """What follows `$`, a backquote, `<(` or `>(`."""
        if sign == "`":
            return self.substituted("`")
        if self.text.startswith("(", self.at):
            self.at += 1
            return self.substituted(")")
        return self.variable() if sign == "$" else sign

    def variable(self) -> str:
        following = self.text[self.at : self.at + 1]
        if following == "'":
            self.at += 1
            return self.until("'").encode("ascii", "backslashreplace").decode("unicode_escape")
        if following == "{":
            self.at += 1
            name = self.until("}")
            return f"\0{name}\0" if name and set(name) <= _NAME else UNKNOWN
        if name := self.name():
            return f"\0{name}\0"
        if following and following in "@*#?!$-":
            self.at += 1
            return UNKNOWN
        return "$"

    def substituted(self, closing: str) -> str:
        self.depth += 1
        self.commands(closing)
        self.depth -= 1
        self.at += 1
        return UNKNOWN

"""Import lines of the languages in which an import is a name that follows the folders, or a file by its name.

Java and Kotlin: `import a.b.C`, `a.b.*`, static members; of the own package, which needs no import, the classes that
the text mentions (of Kotlin every file, since functions stand outside classes). Ruby: `require`, `require_relative`,
`autoload`, and constants as Rails and Zeitwerk load them from `app/` and `lib/`. Elixir: every module that is named,
by its underscored path. Gleam: `import a/b`, and the files of its `@external` functions. C and C++: quoted includes,
includes in angle brackets that name a folder, and the sources that a header declares.

A name that nothing in the tree answers to is a library's. Where several files answer, all of them count: a view that
shows one file too many costs little, and one too few a build.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from analyzer.scopes.import_index import ImportIndex

_JVM = re.compile(r"^\s*import\s+(?:static\s+)?([\w.]+?)(\.\*)?\s*(?:;|$|\bas\b|//)", re.MULTILINE)
_JVM_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)", re.MULTILINE)
_CLASS = re.compile(r"\b[A-Z]\w*")
_RUBY = re.compile(r"""\b(require_relative|require|load|autoload\s+:\w+,)[\s(]*["']([^"'\n]+)["']""")
_RUBY_NAME = re.compile(r"\b[A-Z]\w*(?:::[A-Z]\w*)*")
_ELIXIR = re.compile(r"\b([A-Z]\w*(?:\.[A-Z]\w*)*)(?:\.\{([^}]*)\})?")
_GLEAM = re.compile(r"^\s*import\s+([a-z0-9_/]+)", re.MULTILINE)
_GLEAM_OUTSIDE = re.compile(r'@external\(\s*(erlang|javascript)\s*,\s*"([^"]+)"')
_INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)

_JVM_ENDINGS = (".java", ".kt", ".kts")
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".m", ".mm")
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".inl")
_MANY = 4
"""A header named like more sources than this (`config.h`) declares none of them in particular."""


def _jvm(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    for name, star in _JVM.findall(text):
        parts = name.split(".")
        yield from _jvm_package(parts, index) if star else _jvm_name(parts, index, loose=path.endswith(".kt"))
    declared = _JVM_PACKAGE.search(text)
    package = declared[1].replace(".", "/") if declared else path.rpartition("/")[0]
    homes = index.folders_ending_in(package) or [path.rpartition("/")[0]]
    mentioned = set(_CLASS.findall(text))
    for file in (file for home in homes for file in index.in_folder.get(home, ())):
        stem = file.rpartition("/")[2].partition(".")[0]
        if stem in mentioned if file.endswith(".java") else file.endswith(".kt"):
            yield file


def _jvm_name(parts: Sequence[str], index: ImportIndex, *, loose: bool) -> Iterable[str]:
    """The file of the longest part that is a class, else (a function of Kotlin's) the files of the package."""
    for size in range(len(parts), 1, -1):
        # Kotlin leaves out folders that every package of a module would share.
        for first in range(size - 1 if loose else 1):
            tail = "/".join(parts[first:size])
            found = [file for ending in _JVM_ENDINGS for file in index.files_ending_in(tail + ending)]
            if found:
                return found
    return _jvm_package(parts[:-1], index)


def _jvm_package(parts: Sequence[str], index: ImportIndex) -> list[str]:
    folders = index.folders_ending_in("/".join(parts)) if parts else []
    return [file for folder in folders for file in index.in_folder[folder] if file.endswith(_JVM_ENDINGS)]


def _ruby(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    for how, name in _RUBY.findall(text):
        file = name if name.endswith(".rb") else f"{name}.rb"
        if how == "require_relative":
            yield from {posixpath.normpath(posixpath.join(folder, file))} & index.tree.known
        else:
            yield from index.files_ending_in(file)
    for name in set(_RUBY_NAME.findall(text)):
        tail = "/".join(_snake(part) for part in name.split("::"))
        yield from (file for file in index.files_ending_in(f"{tail}.rb") if re.search(r"(^|/)(app|lib)/", file))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _elixir(_: str, text: str, index: ImportIndex) -> Iterator[str]:
    for name, group in set(_ELIXIR.findall(text)):
        for last in group.split(",") if group else [""]:
            parts = [_snake(part) for part in (*name.split("."), *last.strip().split(".")) if part]
            yield from _elixir_module(parts, index)


def _elixir_module(parts: Sequence[str], index: ImportIndex) -> list[str]:
    """The file of the longest part that is a module: by its path, else by name below the application's folder."""
    for size in range(len(parts), 0, -1):
        found = index.files_ending_in("/".join(parts[:size]) + ".ex")
        if not found and size > 1:
            # Phoenix sorts modules into folders (`controllers/`) that their names leave out.
            found = [file for file in index.files_ending_in(f"{parts[size - 1]}.ex") if f"/{parts[0]}/" in f"/{file}"]
        if found:
            return found
    return []


def _gleam(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    for name in _GLEAM.findall(text):
        yield from index.files_ending_in(f"{name}.gleam")
    for target, name in _GLEAM_OUTSIDE.findall(text):
        if target == "erlang":
            yield from index.files_ending_in(f"{name}.erl")
        else:
            yield from {posixpath.normpath(posixpath.join(path.rpartition("/")[0], name))} & index.tree.known


def _c(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    for quoted, angled in _INCLUDE.findall(text):
        beside = posixpath.normpath(posixpath.join(folder, quoted)) if quoted else ""
        if beside in index.tree.known:
            yield beside
        elif quoted or "/" in angled:
            yield from index.files_ending_in((quoted or angled).removeprefix("./").lstrip("/"))
    if path.endswith(_HEADERS):
        stem = path.rpartition("/")[2].rpartition(".")[0]
        declared = [file for ending in _SOURCES for file in index.files_ending_in(stem + ending)]
        yield from declared if len(declared) <= _MANY else (one for one in declared if one.startswith(f"{folder}/"))


READERS = (
    (_JVM_ENDINGS, _jvm),
    ((".rb", ".rake", ".gemspec"), _ruby),
    ((".ex", ".exs"), _elixir),
    ((".gleam",), _gleam),
    (_SOURCES + _HEADERS, _c),
)
"""Endings -> the reader of their import lines."""

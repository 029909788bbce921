"""Which files of the tree a file needs, by its import lines, and the closure that a view of the tree must show.

Lines are read, not programs: a regular expression per language finds what an import names, and the name is looked up
among the paths of the tree. That needs no toolchain and is fast enough for thousands of files, and it misses what is
loaded by name at run time; a view made from it must be proven by the project's own checks before it is relied on.

Python: absolute and relative imports, with the `__init__.py` of every package on the way; sources may lie below any
folder (`src/`). JavaScript and TypeScript: relative paths with guessed endings and index files, packages of the same
repository by their names, the aliases of a `tsconfig.json`, and `@/` or `~/` for a source folder. Go: packages of the
tree's modules. Rust: `mod`, `use crate::`, `super::`, `self::`, and crates of the same workspace. The rest is in
`import_names`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from analyzer.globs import normalise
from analyzer.scopes import import_names
from analyzer.scopes.import_index import ImportIndex, Read, above
from analyzer.scopes.tree import TEST, Tree

_PY = re.compile(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)|import[ \t]+([^\n#;]+))", re.MULTILINE
)
_JS = re.compile(r"""(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*["']([^"'\n]+)["']""")
_GO = re.compile(r"""^\s*import\s+(?:\(([^)]*)\)|[\w.]*\s*("[^"\n]+"))""", re.MULTILINE)
_RUST = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:(mod)\s+(\w+)\s*;|use\s+(?:::)?(\w+(?:::\w+)*))", re.MULTILINE)
_JS_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts", ".json", ".vue", ".svelte")
_JS_FILES = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_MANIFESTS = frozenset(
    """
    pyproject.toml setup.py setup.cfg requirements.txt uv.lock poetry.lock pytest.ini tox.ini package.json tsconfig.json
    package-lock.json pnpm-lock.yaml pnpm-workspace.yaml yarn.lock bun.lock bun.lockb deno.json go.mod go.sum go.work
    Cargo.toml Cargo.lock build.rs rust-toolchain.toml Makefile gleam.toml manifest.toml mix.exs mix.lock rebar.config
    conftest.py .eslintrc.json vitest.config.ts jest.config.js vite.config.ts pom.xml build.gradle build.gradle.kts
    settings.gradle settings.gradle.kts gradle.properties Gemfile Gemfile.lock Rakefile .rspec CMakeLists.txt
    meson.build BUILD BUILD.bazel configure.ac Makefile.am
    """.split()  # noqa: SIM905 - quotes would hide the list
)


def imports(path: str, text: str, index: ImportIndex) -> frozenset[str]:
    """The paths of the tree that this file's import lines need, the file itself left out."""
    reader = next((reader for endings, reader in _READERS if path.endswith(endings)), None)
    found = frozenset(reader(path, text, index)) if reader else frozenset()
    return found - {path}


def closure(start: Iterable[str], read: Read, tree: Sequence[str], *, always: Sequence[str] = ()) -> frozenset[str]:
    """What work on the start files needs to see.

    They and their tests, what these import, transitively; of every folder on the way up the manifests, lock files and
    `conftest.py`; the files in the root; and what the patterns in `always` cover. Unknown paths are left out.
    """
    index = ImportIndex.of(tree, read)
    known = index.tree.known
    wanted = {path for path in start if path in known}
    waiting = [*wanted, *(test for path in wanted for test in _tests_of(path, index.tree))]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.endswith(_IMPORTING) and (text := read(path)) is not None:
            waiting.extend(imports(path, text, index) - seen)
    folders = {folder for path in seen for folder in above(path)}
    seen.update(p for folder in folders for p in index.in_folder.get(folder, ()) if p.rpartition("/")[2] in _MANIFESTS)
    seen.update(index.in_folder.get("", ()))
    return frozenset(seen.union(*(index.tree.covered(normalise(pattern)) for pattern in always)))


def _tests_of(path: str, tree: Tree) -> Iterator[str]:
    yield from (other for other in tree.partners_of(path) if TEST.search(other))
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    for mark in ("Test", "Tests", "IT", "Spec"):  # as the JVM's, Swift's and .NET's frameworks name them
        yield from tree.by_name.get(f"{stem}{mark}.{ending}".lower(), ())


def _python(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    yield from _packages_of(path, index.tree)
    for source, names, plain in _PY.findall(text):
        if source:
            dots = len(source) - len(source.lstrip("."))
            bases = [_up(folder, dots - 1)] if dots else [folder, *index.python_roots]
            steps = [step for step in source.strip(".").split(".") if step]
            wanted = [[*steps, name] for name in re.findall(r"(?:^|[,(])\s*(\w+)", names)] or [steps]
        else:
            bases = [folder, *index.python_roots]
            wanted = [entry.split()[0].split(".") for entry in plain.split(",") if entry.strip()]
        for parts in wanted:
            yield from _python_module(bases, parts, index.tree)


def _python_module(bases: Sequence[str], parts: Sequence[str], tree: Tree) -> Iterator[str]:
    """The file of the longest part that is a module, below the first base that has it, and its packages' files."""
    least = 0 if len(bases) == 1 else 1  # `from . import name` may mean the package itself
    for base in bases:
        for size in range(len(parts), least - 1, -1):
            module = "/".join([*([base] if base else []), *parts[:size]])
            hits = [name for name in (f"{module}.py", f"{module}/__init__.py") if name in tree.known]
            if hits:
                yield hits[0]
                yield from _packages_of(hits[0], tree)
                return


def _packages_of(path: str, tree: Tree) -> Iterator[str]:
    return (file for folder in above(path) if (file := f"{folder}/__init__.py") in tree.known)


def _script(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    for spec in _JS.findall(text):
        places = _script_places(path, spec, index)
        hit = next((found for place in places for found in _script_files(place) if found in index.tree.known), None)
        if hit:
            yield hit


def _script_places(path: str, spec: str, index: ImportIndex) -> Iterator[str]:
    """Where an import may lie, endings left open; nowhere when it names a library."""
    if spec.startswith("."):
        yield posixpath.normpath(posixpath.join(path.rpartition("/")[0], spec))
        return
    for prefix, folder in index.aliases.items():
        if spec.startswith(f"{prefix}/"):
            yield posixpath.join(folder, spec[len(prefix) + 1 :])
    if spec.startswith(("@/", "~/")):
        yield from (posixpath.join(up, middle, spec[2:]) for up in above(path) for middle in ("src", ""))
    parts = spec.split("/")
    size = 2 if spec.startswith("@") else 1
    folder = index.packages.get("/".join(parts[:size]))
    if folder is not None:
        inside = parts[size:] or ["index"]
        yield from (posixpath.join(folder, middle, *inside) for middle in ("src", "", "lib"))


def _script_files(place: str) -> Iterator[str]:
    yield place
    yield from (place + ending for ending in _JS_ENDINGS)
    stem, dot, ending = place.rpartition(".")
    if dot and ending in ("js", "jsx", "mjs", "cjs"):
        yield from (f"{stem}.{ending.replace('js', 'ts')}", f"{stem}.tsx")
    yield from (f"{place}/index{ending}" for ending in _JS_ENDINGS)


def _go(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    """A Go file needs its own package and every package of the tree's modules that it imports."""
    yield from index.go_package(path.rpartition("/")[0])
    for block, single in _GO.findall(text):
        for name in re.findall(r'"([^"\n]+)"', block or single):
            for module, folder in index.modules.items():
                if name == module or name.startswith(f"{module}/"):
                    yield from index.go_package(posixpath.join(folder, name[len(module) + 1 :]).rstrip("/"))


def _rust(path: str, text: str, index: ImportIndex) -> Iterator[str]:
    folder, _, name = path.rpartition("/")
    own = folder if name in ("mod.rs", "lib.rs", "main.rs") else path.removesuffix(".rs")
    root = next((up for up in above(path) if {f"{up}/lib.rs", f"{up}/main.rs"} & index.tree.known), folder)
    bases = {"crate": root, "self": own, "super": posixpath.dirname(own)}
    for is_mod, child, used in _RUST.findall(text):
        if is_mod:
            yield from _rust_module(own, [child], index.tree)
            continue
        first, *parts = used.split("::")
        if first in index.crates:
            source = posixpath.join(index.crates[first], "src")
            yield from {f"{source}/lib.rs"} & index.tree.known
            yield from _rust_module(source, parts, index.tree)
        elif first in bases:
            base = bases[first]
            while parts and parts[0] == "super":
                base, parts = posixpath.dirname(base), parts[1:]
            yield from _rust_module(base, parts, index.tree)


def _rust_module(base: str, parts: Sequence[str], tree: Tree) -> Iterator[str]:
    """The file of each module on the way; what follows the last one is an item in it."""
    for size in range(1, len(parts) + 1):
        module = posixpath.join(base, *parts[:size])
        yield from (found for found in (f"{module}.rs", f"{module}/mod.rs") if found in tree.known)


def _up(folder: str, levels: int) -> str:
    for _ in range(levels):
        folder = folder.rpartition("/")[0]
    return folder


_READERS = (
    ((".py", ".pyi"), _python), (_JS_FILES, _script), ((".go",), _go), ((".rs",), _rust), *import_names.READERS,
)  # fmt: skip
_IMPORTING = tuple(ending for endings, _ in _READERS for ending in endings)

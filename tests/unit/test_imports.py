"""Import lines of four languages, and the closure of a view."""

import pytest

from analyzer.scopes.imports import ImportIndex, closure, imports

PYTHON = (
    "conftest.py",
    "pyproject.toml",
    "src/app/__init__.py",
    "src/app/api/__init__.py",
    "src/app/api/users.py",
    "src/app/core.py",
    "src/app/store.py",
    "src/app/unused.py",
    "tests/builders.py",
    "tests/conftest.py",
    "tests/test_users.py",
)
SCRIPT = ("package.json", "src/a.ts", "src/b.tsx", "src/lib/index.ts", "src/util.js", "src/data.json", "web/x.vue")
GO = ("go.mod", "cmd/main.go", "internal/db/db.go", "internal/db/db_test.go", "internal/db/rows.go", "other/o.go")
RUST = ("Cargo.toml", "src/main.rs", "src/net.rs", "src/net/tcp.rs", "src/store/mod.rs", "src/store/disk.rs")


def needs(tree, path, text, read=None):
    return set(imports(path, text, ImportIndex.of(tree, read)))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from app.core import x", {"src/app/core.py"}),
        ("import app.store as s, os", {"src/app/store.py"}),
        ("    from .. import core", {"src/app/core.py"}),
        ("from ..store import (\n  one,\n  two,\n)", {"src/app/store.py"}),
        ("from app import core, store", {"src/app/core.py", "src/app/store.py"}),
        ("import json\nfrom os import path", set()),
        ("# from app.core import x", set()),
    ],
)
def test_python(line, found):
    packages = {"src/app/__init__.py", "src/app/api/__init__.py"}
    assert needs(PYTHON, "src/app/api/users.py", line) == found | packages, "its own packages are always needed"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import { b } from './b'", {"src/b.tsx"}),
        ('export * from "./lib"', {"src/lib/index.ts"}),
        ("const u = require('./util')", {"src/util.js"}),
        ("await import('./b.js'); import './data.json'", {"src/b.tsx", "src/data.json"}),
        ("import x from '../web/x.vue'", {"web/x.vue"}),
        ("import { b } from '@/b'", {"src/b.tsx"}),
        ("import react from 'react'", set()),
    ],
)
def test_javascript_and_typescript(line, found):
    assert needs(SCRIPT, "src/a.ts", line) == found


def test_go_needs_whole_packages_of_its_module():
    text = 'package main\nimport (\n  "fmt"\n  db "example.com/app/internal/db"\n)\n'
    read = {"go.mod": "module example.com/app\n"}.get
    assert needs(GO, "cmd/main.go", text, read) == {"internal/db/db.go", "internal/db/rows.go"}
    assert needs(GO, "internal/db/db_test.go", "package db", read) == {"internal/db/db.go", "internal/db/rows.go"}


def test_rust_modules_and_uses():
    assert needs(RUST, "src/main.rs", "mod net;\npub mod store;") == {"src/net.rs", "src/store/mod.rs"}
    assert needs(RUST, "src/net/tcp.rs", "use crate::store::disk::Disk;") == {"src/store/mod.rs", "src/store/disk.rs"}
    assert needs(RUST, "src/net.rs", "mod tcp;") == {"src/net/tcp.rs"}
    assert needs(RUST, "src/store/disk.rs", "use super::super::net;") == {"src/net.rs"}


def test_the_closure_holds_imports_tests_manifests_and_the_root():
    texts = {
        "src/app/api/users.py": "from app.core import x",
        "src/app/core.py": "from .store import y",
        "tests/test_users.py": "from builders import user",
    }
    shown = closure(
        ["src/app/api/users.py", "gone.py"], texts.get, (*PYTHON, "docs/a.md"), always=("docs/**", "none/*")
    )
    assert shown == {*PYTHON, "docs/a.md"} - {"src/app/unused.py"}


def test_files_that_cannot_be_read_and_other_languages_need_nothing():
    assert closure(["lib/x.zig"], lambda _: None, ("lib/x.zig", "lib/y.zig")) == {"lib/x.zig"}
    assert imports("a.zig", "import b", ImportIndex.of(("a.zig", "b.zig"))) == frozenset()

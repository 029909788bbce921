"""TOML tables to frozen values.

A settings class is a frozen dataclass whose fields carry their defaults; `from_table` fills one from a
TOML table and refuses what it does not know, naming the file, the key and the nearest known key. Each
room declares its own settings; nobody needs to import another room to read them.
"""

from __future__ import annotations

import difflib
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from resources.system.errors import Failure

Settings = TypeVar("Settings")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, {} when it does not exist. Raises Failure("bad-config") naming line and column."""
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure("bad-config", f"{path} is not valid TOML", why=str(error), mend=f"edit {path}") from error


def refuse_unknown(found: Mapping[str, Any], known: list[str], *, file: Path, table: str = "") -> None:
    """Raise Failure("unknown-key") for the first key of `found` that is not `known`."""
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            where = f"[{table}] {key}" if table else f"[{key}]"
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}"
            raise Failure("unknown-key", f"{file}: unknown key {where}", why=hint, mend=f"edit {file}")


def from_table(kind: type[Settings], table: Mapping[str, Any], *, file: Path, name: str) -> Settings:
    """A `kind` from the TOML table `[name]` of `file`.

    Lists become tuples, nested tables dicts. Raises Failure("unknown-key") or Failure("bad-value") with the place.
    """
    hints = get_type_hints(kind)
    known = [field.name for field in _fields(kind)]
    refuse_unknown(table, known, file=file, table=name)
    values = {key: _fitted(value, hints[key], f"{file}: [{name}] {key}", file) for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise Failure("bad-value", f"{file}: [{name}] {error}", mend=f"edit {file}") from error


def defaults(kind: type[Any]) -> dict[str, Any]:
    """The default of every key of a settings class, for the reference configuration."""
    found: dict[str, Any] = {}
    for field in fields(kind):
        if field.default is not MISSING:
            found[field.name] = field.default
        elif field.default_factory is not MISSING:
            found[field.name] = field.default_factory()
    return found


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)


def _fitted(value: Any, wanted: Any, where: str, file: Path) -> Any:
    origin = get_origin(wanted)
    if origin is tuple and isinstance(value, list):
        inner = get_args(wanted)[0]
        return tuple(_fitted(item, inner, where, file) for item in value)
    if origin in (dict, Mapping) or (origin is not None and issubclass(origin, Mapping)):
        if isinstance(value, dict):
            inner = get_args(wanted)[1]
            return {key: _fitted(item, inner, f"{where}.{key}", file) for key, item in value.items()}
    elif isinstance(origin, type) and origin is types.UnionType:
        return value
    elif wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif isinstance(wanted, type) and isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
        return value
    shape = getattr(wanted, "__name__", str(wanted)) if origin is None else str(wanted)
    raise Failure("bad-value", f"{where} must be {shape}, not {value!r}", mend=f"edit {file}")

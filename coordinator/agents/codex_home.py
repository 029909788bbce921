"""A home for one slot's Codex: the user's login and configuration, without what must not follow into a slot.

Sessions are kept there too, so that one can be resumed as long as the slot is held. The login is a link, because
the program renews it in place. The configuration is copied without the tables of hooks, trusted projects and tool
servers, line by line, so that everything else stays as it was written; the copy is then read back and compared.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from resources.system.errors import Failure
from resources.system.files import replace_file

LEFT_OUT = ("hooks", "projects", "mcp_servers")
_TABLE = re.compile(r"\s*\[\[?\s*\"?(?P<name>[\w-]+)")


def make_home(home: Path, users: Path) -> None:
    """Make or renew `home` from the user's home `users`. Raises Failure("bad-codex-config")."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    login = home / "auth.json"
    if (users / "auth.json").exists() and not login.is_symlink():
        login.symlink_to((users / "auth.json").resolve())
    config = users / "config.toml"
    if config.exists():
        replace_file(home / "config.toml", without_tables(config.read_text(), str(config)), mode=0o600)


def without_tables(text: str, where: str) -> str:
    """The TOML `text` without the tables LEFT_OUT. Raises Failure("bad-codex-config") when that cannot be told."""
    kept, keeps = [], True
    for line in text.splitlines():
        found = _TABLE.match(line)
        if found:
            keeps = found["name"] not in LEFT_OUT
        if keeps:
            kept.append(line)
    result = "\n".join(kept) + "\n"
    try:
        wanted = {key: value for key, value in tomllib.loads(text).items() if key not in LEFT_OUT}
        same = tomllib.loads(result) == wanted
    except tomllib.TOMLDecodeError as error:
        raise Failure("bad-codex-config", f"{where} is no TOML", why=str(error), mend=f"edit {where}") from error
    if not same:
        raise Failure(
            "bad-codex-config", f"{where}: {', '.join(LEFT_OUT)} cannot be left out for an agent",
            why="one of them is not written as a [table] of its own", mend=f"edit {where}",
        )  # fmt: skip
    return result

import tomllib

import pytest

from coordinator.agents.codex_home import make_home
from resources.system.errors import Failure

USERS = """\
model = "gpt-5"

[model_providers.ours]
base_url = "https://example.com/[v1]"

[mcp_servers.browser]
command = "npx"

[projects."/home/a/repo"]
trust_level = "trusted"

[[hooks.PreToolUse]]
matcher = "Bash"

[tui]
theme = "dark"
"""


def test_an_agent_has_the_users_login_and_models_but_not_his_hooks_projects_and_servers(tmp_path) -> None:
    users, home = tmp_path / "users", tmp_path / "slot" / "codex"
    users.mkdir()
    (users / "config.toml").write_text(USERS)
    (users / "auth.json").write_text("{}")
    make_home(home, users)
    make_home(home, users)
    assert set(tomllib.loads((home / "config.toml").read_text())) == {"model", "model_providers", "tui"}
    (home / "auth.json").write_text('{"renewed": true}')
    assert (users / "auth.json").read_text() == '{"renewed": true}', "the login is renewed in its own place"
    assert (users / "config.toml").read_text() == USERS
    assert (home.stat().st_mode & 0o777, (home / "config.toml").stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("text", ['mcp_servers = {browser = {command = "npx"}}\n', "model = \n"])
def test_what_cannot_be_left_out_safely_stops_the_start(text, tmp_path) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(Failure, match=r"config\.toml"):
        make_home(tmp_path / "home", tmp_path)

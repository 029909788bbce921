"""The real agent programs, from the dependency group `real`, and the environment that leads them to a model of ours.

Nothing of the developer's reaches them: a home of their own, a dummy key, no updates.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PACKAGES = {"claude": ("claude_agent_sdk", "_bundled/claude"), "codex": ("codex_cli_bin", "bin/codex")}


def program(name: str) -> Path:
    """The program called `name` ("claude", "codex"); skips the test, with the reason, where it is not installed."""
    package, inside = PACKAGES[name]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return pytest.skip(f"{package} is not installed: the package index could not be reached (`make test-real`)")
    path = Path(found.origin).parent / inside
    return path if path.exists() else pytest.skip(f"{package} carries no {name} for this machine")


def environment(url: str, home: Path) -> dict[str, str]:
    """What both programs need to talk to the model at `url` and to nobody else."""
    temporary = home / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        # Below its temporary folder Codex makes no links to itself, and its sandbox then fails with an old bubblewrap.
        "TMPDIR": str(temporary),
        "CODEX_HOME": str(home / ".codex"),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "dummy",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "STUB_KEY": "dummy",
    }


def arguments(name: str, url: str) -> tuple[str, ...]:
    """More arguments for a program, to lead it to the model."""
    if name == "claude":
        return ()
    provider = (
        f'model_providers.stub={{name="stub",base_url="{url}/v1",env_key="STUB_KEY",wire_api="responses",'
        "request_max_retries=1,stream_max_retries=1}"
    )
    # The tests' repositories lie below the temporary folder, which the sandbox would else leave open as a whole.
    closed = ("exclude_slash_tmp=true", "exclude_tmpdir_env_var=true")
    sandbox = (word for one in closed for word in ("-c", f"sandbox_workspace_write.{one}"))
    return ("-c", 'model_provider="stub"', "-c", provider, "-m", "gpt-5", *sandbox)

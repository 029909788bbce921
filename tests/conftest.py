"""What holds for every test: nothing is written into the state folder of whoever runs them."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    # The environment is how programs that a test starts learn of it, so it is the place to say it.
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state home")
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder

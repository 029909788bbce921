"""A lock that leaves no file behind still lets one in at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources.system.errors import NotNow
from resources.system.files import file_lock

WRITERS, ROUNDS = 6, 30


def test_no_count_is_lost_and_no_file_stays(tmp_path: Path):
    counter = tmp_path / "count"
    counter.write_text("0")

    def count(_: int) -> None:
        for _ in range(ROUNDS):
            with file_lock(tmp_path / ".lock", what="the counter", keep=False):
                counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(count, range(WRITERS)))
    assert counter.read_text() == str(WRITERS * ROUNDS)
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_it_is_refused_while_held(tmp_path: Path):
    lock = tmp_path / ".lock"
    with file_lock(lock, what="it", note="ana", keep=False):
        taken = file_lock(lock, what="it", wait=0)
        with pytest.raises(NotNow, match="held by ana"):
            taken.__enter__()
    assert not lock.exists()

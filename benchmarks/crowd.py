"""Many processes at one pool: claiming, working, releasing, adding, removing, refreshing, all at once.

    python -m benchmarks.crowd ROOT NAME SECONDS        # one of the crowd; prints what it did as JSON

A double lease shows itself in the slot: whoever holds it makes a file there that must not exist, and finds its own
words in it when it is done.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PRODUCT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PRODUCT))

from resources.settings import PoolSettings  # noqa: E402
from resources.state.sqlite import SqliteLedger  # noqa: E402
from resources.system.errors import Failure, NotNow  # noqa: E402
from resources.system.git import git, resolve  # noqa: E402
from resources.system.repository import find_repository  # noqa: E402
from resources.worktrees.pool import Pool  # noqa: E402
from resources.worktrees.view import View  # noqa: E402

SETTINGS = PoolSettings(minimum=1, maximum=8, ports_per_slot=2)
VIEWS = (None, View("closure", ("module-0/src/area-1",)), View("closure", ("module-0/src/area-2",)))


@dataclass
class Done:
    """What a crowd did. `complaints` tells of the first errors."""

    operations: int = 0
    errors: int = 0
    doubles: int = 0
    complaints: tuple[str, ...] = ()


def many_at_once(root: Path, count: int) -> tuple[float, int]:
    """Make `count` slots with one call; returns the seconds it took and how many are missing."""
    repository = find_repository(root)
    pool = Pool(repository, SqliteLedger.create(repository.state), PoolSettings(maximum=count, ports_per_slot=1), None)
    began = time.perf_counter()
    made = pool.grow(count)
    seconds = time.perf_counter() - began
    sound = [slot for slot in made if git(slot.path, "status", "--porcelain", read=True).text == ""]
    return seconds, count - len(sound)


def crowd(root: Path, processes: int, seconds: float) -> Done:
    """Let that many processes loose on the pool of a repository; returns what they did together."""
    repository = find_repository(root)
    pool = Pool(repository, SqliteLedger.create(repository.state), SETTINGS, None)
    pool.grow(4)
    argv = [sys.executable, "-m", "benchmarks.crowd", str(root)]
    running = [
        subprocess.Popen([*argv, f"p{number}", str(seconds)], cwd=PRODUCT, stdout=subprocess.PIPE, text=True)
        for number in range(processes)
    ]
    answers = [json.loads(process.communicate()[0]) for process in running]
    left = [f"{slot.name} is {slot.state}: {slot.note}" for slot in pool.slots() if slot.state != "idle"]
    return Done(
        sum(answer["operations"] for answer in answers),
        sum(answer["errors"] for answer in answers) + len(left),
        sum(answer["doubles"] for answer in answers),
        tuple(left + [complaint for answer in answers for complaint in answer["complaints"]]),
    )


class One:
    """One of the crowd."""

    def __init__(self, root: Path, name: str) -> None:
        repository = find_repository(root)
        self._root = root
        self._name = name
        self._pool = Pool(repository, SqliteLedger(repository.state), SETTINGS, None)
        self._chance = random.Random(name)
        self.done = Done()

    def work(self, seconds: float) -> Done:
        """One thing after the other until the time is up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            act = self._chance.choices((self._lend, self._grow, self._shrink, self._refresh), (12, 2, 2, 1))[0]
            try:
                act()
                self.done.operations += 1
            except NotNow:
                time.sleep(0.01)
            except Failure as failure:
                self.done.errors += 1
                self.done.complaints += (f"{self._name} {act.__name__}: {failure.what} {failure.why}",)
        return self.done

    def _lend(self) -> None:
        held = self._pool.acquire(f"issue-{self._name}", self._name, base="main", view=self._chance.choice(VIEWS))
        file = held.slot.path / "holder.txt"
        try:
            with file.open("x") as stream:
                stream.write(self._name)
            time.sleep(self._chance.random() / 50)
            self.done.doubles += file.read_text() != self._name
            if self._chance.random() < 0.5:
                file.unlink()
        except FileExistsError:
            self.done.doubles += 1
        released = self._pool.release(held.lease)
        if released.quarantined:
            raise Failure("set-aside", held.slot.name, why=released.quarantined)

    def _grow(self) -> None:
        self._pool.grow(1)

    def _shrink(self) -> None:
        self._pool.shrink(1)

    def _refresh(self) -> None:
        self._pool.refresh(resolve(self._root, "main") or "")


if __name__ == "__main__":
    one = One(Path(sys.argv[1]), sys.argv[2]).work(float(sys.argv[3]))
    print(json.dumps(one.__dict__))

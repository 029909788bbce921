"""Port ranges on one host: two repositories never get the same one, whatever happens to either."""

from __future__ import annotations

import json
import shutil
import socket

import pytest

from resources.worktrees.host_ports import open_book
from tests.support.pools import make_pool


@pytest.fixture
def host(tmp_path, monkeypatch):
    # A host of its own: the ranges that other tests hold would be in the way.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a host"))
    return tmp_path / "a host" / "agent-coord"


def spans(yard) -> set[tuple[int, int]]:
    return {slot.ports for slot in yard.pool.slots()}


def test_two_repositories_get_different_ranges_though_nobody_has_bound_any(tmp_path, host):
    one, two = make_pool(tmp_path / "one", 2), make_pool(tmp_path / "two", 2)
    assert len(spans(one) | spans(two)) == 4
    assert (host / "ports.json").stat().st_mode & 0o077 == 0


def test_ranges_come_back_with_their_slots_and_with_their_repository(tmp_path, host):
    one = make_pool(tmp_path / "one", 2)
    before = spans(one)
    one.pool.remove_all()
    two = make_pool(tmp_path / "two", 2)
    assert spans(two) == before
    shutil.rmtree(two.root)
    assert spans(make_pool(tmp_path / "three", 2)) == before


def test_a_slot_that_moves_leaves_the_ranges_of_others_alone(tmp_path, host):
    one, two = make_pool(tmp_path / "one", 1), make_pool(tmp_path / "two", 1)
    ((low, high),) = spans(one)
    with socket.create_server(("127.0.0.1", low)):
        held = one.pool.acquire("x-1", "ada", base=one.head)
    assert held.slot.ports != (low, high)
    assert held.slot.ports not in spans(two)


@pytest.mark.parametrize("damage", ["", "[1]", '{"/gone": [[1, 2]]}', '{"x": 3}'])
def test_a_damaged_list_is_written_anew(tmp_path, host, damage):
    host.mkdir(parents=True)
    (host / "ports.json").write_text(damage)
    yard = make_pool(tmp_path / "one", 1)
    known = json.loads((host / "ports.json").read_text())
    assert known == {str(yard.repository.state): [list(span) for span in spans(yard)]}


def test_what_a_crash_left_in_the_list_is_forgotten_at_the_next_change(tmp_path, host):
    yard = make_pool(tmp_path / "one", 1)
    with open_book(yard.repository.state) as book:
        book.keep([*spans(yard), (50000, 50009)])
    yard.pool.grow(1)
    with open_book(tmp_path) as book:
        assert set(book.elsewhere) == spans(yard)


def test_without_a_state_folder_slots_are_still_made(tmp_path, host):
    host.parent.mkdir(parents=True)
    host.write_text("a file where the folder should be")
    assert len(spans(make_pool(tmp_path / "one", 2))) == 2

"""Port ranges: none is given twice, none with a listener in it."""

import socket

import pytest

from resources.system.errors import Failure
from resources.worktrees.ports import find_range, is_free, range_is_free


def test_the_lowest_range_that_is_neither_given_nor_used_is_found():
    assert find_range([], 42000, 10, lambda port: True) == (42000, 42009)
    assert find_range([(42000, 42009), (0, 0)], 42000, 10, lambda port: True) == (42010, 42019)
    assert find_range([], 42000, 10, lambda port: port != 42009) == (42010, 42019)


def test_a_given_range_of_another_width_or_base_is_not_cut_into():
    assert find_range([(42005, 42024)], 42000, 10, lambda port: True) == (42030, 42039)


def test_no_range_is_left():
    with pytest.raises(Failure) as failure:
        find_range([], 65530, 10, lambda port: True)
    assert failure.value.reference == "no-ports"


def test_a_range_that_was_never_given_is_not_free():
    assert not range_is_free((0, 0))


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listener_is_seen(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        try:
            listener.bind((address, 0))
        except OSError as error:
            pytest.skip(f"this host has no {address}: {error}")
        listener.listen()
        assert not is_free(listener.getsockname()[1])

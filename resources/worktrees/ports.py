"""A range of ports for each slot: probed, recorded in the ledger, given in the environment.

Ports derived from a name collide (about 5 % of pairs with eight worktrees) and are bound by strangers
unseen. So a range is searched from the configured base upward, skipping what the ledger has given out,
and each of its ports is tried. It is tried again at every claim: what a stranger or a left-over process
has bound meanwhile makes the slot move to another range. What other repositories have leased and not bound yet is
known from `host_ports`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

from resources.system.errors import Failure

LAST_PORT = 65_535


def is_free(port: int) -> bool:
    """Whether nobody on this host listens on the loopback port, over IPv4 or IPv6."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((address, port))
        except OSError as error:
            if not _says_nothing(error):
                return False
    return True


def _says_nothing(error: OSError) -> bool:
    import errno

    # A host without IPv6 cannot have a listener there.
    return error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


def range_is_free(ports: tuple[int, int], free: Callable[[int], bool] = is_free) -> bool:
    """Whether every port from the first to the last is free; a range that was never given is not."""
    low, high = ports
    return 0 < low <= high and all(free(port) for port in range(low, high + 1))


def find_range(
    taken: Iterable[tuple[int, int]], base: int, width: int, free: Callable[[int], bool] = is_free
) -> tuple[int, int]:
    """The first free range of `width` ports at or above `base` that overlaps none of `taken`.

    Raises Failure("no-ports") when there is none below 65536.
    """
    given = [span for span in taken if span[0]]
    for low in range(base, LAST_PORT - width + 2, width):
        high = low + width - 1
        apart = all(high < first or last < low for first, last in given)
        if apart and range_is_free((low, high), free):
            return low, high
    raise Failure(
        "no-ports",
        f"no {width} neighbouring ports are free from {base} upward",
        mend="lower [pool] port_base or ports_per_slot in .agent-worktrees/config.toml",
    )

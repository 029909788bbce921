"""What a program prints, bounded: of a stream that does not end the beginning and the end are kept.

The beginning says what the program set out to do, the end why it gave up; between them stands how much was left out.
A stream is read to its end all the same, because a program whose pipe is full stands still.
"""

from __future__ import annotations

import os
from typing import IO

BLOCK = 65_536
"""Bytes read at once: what a pipe holds on Linux."""


class Output:
    """A stream's first and last bytes, half of `keep` each."""

    def __init__(self, keep: int) -> None:
        self._half = keep // 2
        self._head, self._tail = bytearray(), bytearray()
        self._total = 0

    def read(self, stream: IO[bytes]) -> None:
        """Read to the end; closes the stream."""
        with stream:
            while block := os.read(stream.fileno(), BLOCK):
                self.add(block)

    def add(self, block: bytes) -> None:
        """What comes next."""
        self._total += len(block)
        missing = self._half - len(self._head)
        self._head += block[:missing]
        self._tail += block[missing:]
        # Trimmed when it is twice too long, so that no byte is moved more than once or so.
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    @property
    def left_out(self) -> int:
        """How many bytes are not kept."""
        return max(0, self._total - 2 * self._half)

    @property
    def kept(self) -> bytes:
        """Beginning, a line that says what was left out if anything was, end."""
        if not self.left_out:
            return bytes(self._head + self._tail)
        note = f"\n(agent-coord left out {self.left_out} bytes that were printed here)\n".encode()
        return bytes(self._head) + note + bytes(self._tail[-self._half :])

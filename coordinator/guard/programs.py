"""The files that a small Python, JavaScript or Ruby program opens for writing, where its text names them. Pure.

A room of its own, because `re` costs 5 ms that only such programs are worth.
"""

from __future__ import annotations

import re

_OPENED = re.compile(
    r"""open\(\s*[rbf]?(?P<q>['"])(?P<open>[^'"]+)(?P=q)\s*,\s*(?:mode\s*=\s*)?['"][rbt]*[wax+]"""
    r"""|Path\(\s*[rbf]?(?P<p>['"])(?P<path>[^'"]+)(?P=p)\s*\)\.(?:write_|touch|unlink|open\(\s*['"][wax])"""
    r"""|(?:os\.(?:remove|unlink|truncate|mknod)|(?:write|append|unlink|rm|truncate)File(?:Sync)?|rmtree|File\.write)"""
    r"""\(\s*[rbf]?(?P<o>['"])(?P<other>[^'"]+)(?P=o)""",
)


def opened(code: str) -> list[str]:
    """The names, as they stand there."""
    return [found["open"] or found["path"] or found["other"] for found in _OPENED.finditer(code)]

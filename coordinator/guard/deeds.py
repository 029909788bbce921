"""What a tool call would do, as values. Light."""

from __future__ import annotations

from collections import namedtuple

GIT = "\0git"
"""The extent of a write: whatever git changes in the worktree that it is called in."""

GONE = "\0gone"
"""The extent of a removal: the name itself, not what a link leads to, and all below it if it is a folder."""

Deed = namedtuple("Deed", "cwd target extent", defaults=(False,))
Deed.__doc__ = """A write to `target` as named in the folder `cwd` (None: it cannot be told).

`extent`: False the file, True all below it, a name: that name in it if it is a folder, GIT: whatever
git changes, GONE: it is taken away."""

Deeds = namedtuple("Deeds", "deeds refusals shared", defaults=(None,))
Deeds.__doc__ = """The writes of a call, and what in it is refused whatever it writes, as (folder, sentence).

`shared`: Deeds that count beside these where several agents work in one checkout."""

"""What may be worked on at the same time, and why.

Reads the backlog, the history and the tree, and proposes: tracks, conflicts, waves, assignments. It
changes nothing unasked and borrows only the machine's doors in `resources.system`; the rooms `scopes`,
`timing`, `planning` and `showing` are pure.
"""

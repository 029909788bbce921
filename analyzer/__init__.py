"""What may be worked on at the same time, and why.

Reads the backlog, the history and the tree, and proposes: tracks, conflicts, waves, assignments. It
changes nothing and borrows only the process gate of `resources.system`; everything but `sources` and
`cli` is pure.
"""

"""The pool of slots: git worktrees that are prepared ahead, lent to one agent at a time and taken back.

`pool.py` is the door. A slot's view (what it shows) never says what may be written.
"""

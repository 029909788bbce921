"""The machine's doors: processes, git, files, clocks, errors, the event log.

Nothing here knows of slots, issues or agents.
"""

"""What must wait for what, and when everything can end: the graph, tracks, and a timetable with a proven bound.

Knows jobs, orders and durations; not why two of them must not run together.
"""

"""Who works on what, and may it be merged.

Joins the planner and the lent resources: claims issues, starts agents in slots, judges their work by
one gate and lands it through one queue. Only this package decides.
"""

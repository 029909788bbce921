"""Which files an issue will touch, and where two issues will meet.

Evidence is gathered (`mentions`, `history`, `kin`, `imports`, `usage`), turned into numbers (`signals`, `shortlist`)
and ranked (`ranking`, `forest`); `scope` is the door for one issue, `conflicts` the one for many.
"""

"""The loop: what starts, what an ended attempt means, and what a coordinator that died left behind.

`serve` drives `loop`, one tick after the other; everything else here is a part of a tick.
"""

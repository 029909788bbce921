"""What an agent holds, and how the machine gets it back.

Slots, databases and ports are taken, marked, leased and given back here, so that the leak sweep is
one subtraction for every kind: what bears our mark minus what the ledger says is held.
This package never decides who works on what; that is the coordinator's.
"""

"""The ledger: who holds what, who works on what, what waits to land, and everything that happened.

It must answer when Postgres, Docker and bd are all down, because it is what records them.
"""

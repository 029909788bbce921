"""A Postgres database for every slot: cloned from a template, its own role, taken back by its mark.

The door is `databases.py`, and `isolated.py` behind the same door when every slot has a server of its own. SQL is
spoken through psycopg, imported only where a server is really asked, so that naming things or reading a slot's
environment costs nothing.
"""

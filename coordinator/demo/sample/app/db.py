"""The desk's database: Postgres, named by DATABASE_URL."""

import os

import psycopg
from psycopg.rows import dict_row


def connect():
    """A connection whose rows are dicts. Leaving its `with` block commits, an exception rolls back."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("DATABASE_URL is not set; for example postgresql://localhost/desk")
    return psycopg.connect(url, row_factory=dict_row)

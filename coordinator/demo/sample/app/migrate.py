"""Brings a database up to date: `python -m app.migrate`.

Every file of `migrations/` is applied once, in the order of the names. What was applied is remembered by
name, so two branches may add migrations side by side, and either may arrive first.
"""

from pathlib import Path

from app import db

FOLDER = Path(__file__).parent.parent / "migrations"


def migrate(connection):
    """Apply what is missing; returns the names of the files that were applied now."""
    connection.execute("SELECT pg_advisory_xact_lock(20240117)")
    connection.execute("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, at timestamptz DEFAULT now())")
    done = {row["name"] for row in connection.execute("SELECT name FROM migration")}
    missing = [file for file in sorted(FOLDER.glob("*.sql")) if file.name not in done]
    for file in missing:
        connection.execute(file.read_text())
        connection.execute("INSERT INTO migration (name) VALUES (%s)", [file.name])
    return [file.name for file in missing]


if __name__ == "__main__":
    with db.connect() as desk:
        print("applied:", ", ".join(migrate(desk)) or "nothing, the database is up to date")

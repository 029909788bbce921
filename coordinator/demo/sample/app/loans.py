"""Who has what, and until when."""

from datetime import date, timedelta

from app.web import Refused

DAYS = 14
"""How long a tool may stay out."""


def index(request):
    """Every loan that is still open, the one due first on top."""
    return request.connection.execute(
        "SELECT id, tool_id, member_id, lent_on, due_on FROM loan WHERE returned_on IS NULL ORDER BY due_on, id"
    ).fetchall()


def of_member(request):
    """What one member has at home."""
    return request.connection.execute(
        "SELECT id, tool_id, due_on FROM loan WHERE member_id = %s AND returned_on IS NULL ORDER BY due_on, id",
        [request.numbers["member"]],
    ).fetchall()


def create(request):
    """Lend a tool to a member."""
    return lend(request.connection, request.need("tool_id"), request.need("member_id"))


def lend(connection, tool_id, member_id, today=None):
    """Write the loan into the book. A tool that is out cannot be lent."""
    out = connection.execute("SELECT 1 FROM loan WHERE tool_id = %s AND returned_on IS NULL", [tool_id]).fetchone()
    if out:
        raise Refused(409, "this tool is out")
    today = today or date.today()
    return connection.execute(
        "INSERT INTO loan (tool_id, member_id, lent_on, due_on) VALUES (%s, %s, %s, %s)"
        " RETURNING id, tool_id, member_id, lent_on, due_on",
        [tool_id, member_id, today, today + timedelta(days=DAYS)],
    ).fetchone()


def give_back(request):
    """A tool comes back."""
    loan = request.connection.execute(
        "UPDATE loan SET returned_on = current_date WHERE id = %s AND returned_on IS NULL RETURNING id, returned_on",
        [request.numbers["loan"]],
    ).fetchone()
    if loan is None:
        raise Refused(409, "no such loan is open")
    return loan

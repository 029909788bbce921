"""The people who may borrow."""

from app.web import Refused


def create(request):
    """Somebody joins."""
    email = request.need("email").strip()
    member = request.connection.execute(
        "INSERT INTO member (name, email) VALUES (%s, %s) ON CONFLICT (email) DO NOTHING RETURNING id, name, email",
        [request.need("name"), email],
    ).fetchone()
    if member is None:
        raise Refused(409, f"{email} is already a member")
    return member


def show(request):
    """One member."""
    member = request.connection.execute(
        "SELECT id, name, email FROM member WHERE id = %s", [request.numbers["member"]]
    ).fetchone()
    if member is None:
        raise Refused(404, "no such member")
    return member

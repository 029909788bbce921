"""The tools that the library owns."""

from app.web import Refused


def index(request):
    """Every tool, by name."""
    return request.connection.execute("SELECT id, name, category FROM tool ORDER BY name, id").fetchall()


def create(request):
    """Take a new tool into the library."""
    return request.connection.execute(
        "INSERT INTO tool (name, category) VALUES (%s, %s) RETURNING id, name, category",
        [request.need("name"), request.body.get("category", "other")],
    ).fetchone()


def show(request):
    """One tool, and whether it is out."""
    tool = request.connection.execute(
        """SELECT id, name, category,
                  EXISTS (SELECT 1 FROM loan WHERE tool_id = tool.id AND returned_on IS NULL) AS out
           FROM tool WHERE id = %s""",
        [request.numbers["tool"]],
    ).fetchone()
    if tool is None:
        raise Refused(404, "no such tool")
    return tool

"""What the desk says about itself."""


def welcome(request):
    """The front page: how much there is."""
    counts = request.connection.execute(
        "SELECT (SELECT count(*) FROM tool) AS tools, (SELECT count(*) FROM member) AS members"
    ).fetchone()
    return {"desk": "Tool library", **counts}

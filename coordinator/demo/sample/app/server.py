"""The desk on http://127.0.0.1:8000 (or the port in PORT): `python -m app.server`."""

import os
from wsgiref.simple_server import make_server

from app import db
from app.web import application

if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), application(db.connect)) as server:
        print(f"the desk is open on http://127.0.0.1:{server.server_port}")
        server.serve_forever()

"""Spans arrive at a collector of our own: a real HTTP server that reads the protocol."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.projects import make_place, writes

trace = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="no OpenTelemetry here")


@pytest.fixture
def collector() -> Iterator[tuple[str, list]]:
    spans: list = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = trace.ExportTraceServiceRequest.FromString(body)
            spans.extend(s for r in found.resource_spans for scope in r.scope_spans for s in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_attempt_is_a_span_with_its_gate(
    tmp_path: Path, collector: tuple[str, list], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The variable is how users switch tracing on; the command is a process of its own.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector[0])
    place = make_place(tmp_path / "a place")
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(
        config.read_text() + '[[gate.checks]]\nname = "sound"\nrun = ["sh", "-c", "! grep -s wrong one.txt"]\n'
    )
    place.script("a-1", writes("one.txt", "wrong", "a-1: wrong"), writes("one.txt", "x", "a-1: right"))
    place.run("init")
    done = place.run("run", "--only", "a-1")
    spans = {span.name: span for span in collector[1]}
    assert {"a-1 #1", "a-1 #2", "gate"} <= set(spans), done.stderr
    assert spans["a-1 #1"].status.code == 2, "the red one tells so"
    assert spans["a-1 #2"].status.code != 2
    gate = next(span for span in collector[1] if span.parent_span_id == spans["a-1 #2"].span_id)
    assert spans["a-1 #2"].start_time_unix_nano <= gate.start_time_unix_nano < gate.end_time_unix_nano

"""OpenTelemetry: every attempt as a span, its gate runs as children, once it is over.

Spans are made after the fact from the ledger's events, so that nothing in the loop knows of tracing and an attempt that
outlived its coordinator still has its true beginning. It is on when the standard variables name an endpoint
(`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) and the extra `otel` is installed.
"""

from __future__ import annotations

import os
import time
from functools import cached_property
from typing import Any

from coordinator.bootstrap import Project
from coordinator.reports.bars import Bar, Outcome
from coordinator.reports.timeline import build_timeline
from resources.state.store import Row

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
NANO = 1_000_000_000


class Traces:
    """Exports the attempts that end while a coordinator runs, at most every `EVERY` seconds."""

    EVERY = 2.0

    def __init__(self, project: Project) -> None:
        self._project = project
        self._on = any(os.environ.get(name) for name in ENDPOINTS)
        self._rows: list[Row] = []
        self._told: set[tuple[str, int]] = set()
        self._at = 0.0

    @cached_property
    def _provider(self) -> Any:
        """The SDK with its exporter, None when it is not installed."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            self._project.say('traces are asked for, but OpenTelemetry is missing: pip install "agent-coord[otel]"')
            return None
        name = {"service.name": os.environ.get("OTEL_SERVICE_NAME", "agent-coord")}
        provider = TracerProvider(resource=Resource.create(name))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return provider

    def export(self, *, now: bool = False) -> None:
        """Send what has ended since the last call, at once and to the end with `now`."""
        if not self._on or (not now and time.monotonic() - self._at < self.EVERY):
            return
        self._at = time.monotonic()
        since = self._rows[-1]["seq"] if self._rows else 0
        with self._project.ledger.read() as snapshot:
            fresh = snapshot.all("events-since", seq=since)
        if fresh and self._provider is not None:
            self._rows += fresh
            self._send()
        if now and self._provider is not None:
            self._provider.force_flush(5_000)

    def _send(self) -> None:
        timeline = build_timeline(self._rows)
        for bar in timeline.bars:
            over = bar.end is not None and bar.outcome not in (Outcome.WORKING, Outcome.FINISHED)
            if over and (bar.issue, bar.attempt) not in self._told:
                self._told.add((bar.issue, bar.attempt))
                _record(self._provider.get_tracer("agent-coord"), bar, timeline.origin)


def _record(tracer: Any, bar: Bar, origin: float) -> None:
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    def at(seconds: float | None) -> int:
        return int((origin + (bar.end or 0.0 if seconds is None else seconds)) * NANO)

    about = {"issue": bar.issue, "agent": bar.agent, "slot": bar.slot, "attempt": bar.attempt}
    attributes = {f"agent_coord.{name}": value for name, value in about.items()} | {"agent_coord.outcome": bar.outcome}
    span = tracer.start_span(f"{bar.issue} #{bar.attempt}", start_time=at(bar.begin), attributes=attributes)
    inside = set_span_in_context(span)
    for gate in bar.gates:
        child = tracer.start_span("gate", context=inside, start_time=at(gate.begin))
        child.set_attribute("agent_coord.passed", bool(gate.passed))
        child.end(at(gate.end))
    if bar.outcome not in (Outcome.LANDED, Outcome.RESOLVED):
        span.set_status(Status(StatusCode.ERROR, bar.why or bar.outcome.value))
    span.end(at(bar.end))

"""``--otel``: traces, metrics and logs of a run, for what OpenTelemetry's variables name.

``OTEL_TRACES_EXPORTER``, ``OTEL_METRICS_EXPORTER`` and ``OTEL_LOGS_EXPORTER`` are lists of
``otlp`` (the default), ``console`` and ``none``; ``OTEL_EXPORTER_OTLP_PROTOCOL`` is ``grpc``
or ``http/protobuf``. Requests of both HTTP clients carry the header ``traceparent``, so that
a service's own spans belong to them.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from acrida import __version__

from . import events
from .clients import HttpSession

logger = logging.getLogger(__name__)

#: Requests under more names than these are measured together: each name is a series of its own.
NAMES_MAX = 20
OTHER_NAMES = "Too many unique request names"


def setup_opentelemetry(locustfile: str, profile: str | None) -> bool:
    """Begins to export; says whether there is anything to export to."""
    wanted = {signal: _wanted(signal) for signal in ("TRACES", "METRICS", "LOGS")}
    if not any(wanted.values()):
        logger.info("Every OTEL_…_EXPORTER is none: OpenTelemetry is not enabled")
        return False
    try:
        from opentelemetry.sdk.resources import Resource
    except ImportError:
        logger.error("--otel needs the package opentelemetry-sdk, which is not installed; the run goes on without it")
        return False
    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME", "locust"),
            "service.version": __version__,
            "host.name": socket.gethostname(),
            "filename": locustfile,
            "profile": profile or "",
        }
    )
    for signal, begin in (("TRACES", _trace), ("METRICS", _measure), ("LOGS", _log)):
        if wanted[signal]:
            begin(resource, wanted[signal])
    return True


def _wanted(signal: str) -> list[str]:
    names = os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").lower().split(",")
    return [name for name in map(str.strip, names) if name not in ("", "none")]


def _exporters(signal: str, names: list[str], module: str, otlp: str, console: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """The exporters of one signal that are there; what is missing or unknown is told."""
    for name in names:
        if name == "console":
            yield name, console()
        elif name == "otlp":
            protocol = os.environ.get(
                f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            )
            kind = "grpc" if protocol.strip().lower() == "grpc" else "http"
            try:
                found = importlib.import_module(f"opentelemetry.exporter.otlp.proto.{kind}.{module}")
            except ImportError:
                logger.warning("OTEL_%s_EXPORTER=otlp needs the package opentelemetry-exporter-otlp-proto-%s", signal, kind)
                continue
            yield name, getattr(found, otlp)()
        else:
            logger.warning("OTEL_%s_EXPORTER=%s is unknown: otlp, console and none are", signal, name)


def _trace(resource: Any, names: list[str]) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

    provider = TracerProvider(resource=resource)
    for name, exporter in _exporters("TRACES", names, "trace_exporter", "OTLPSpanExporter", ConsoleSpanExporter):
        kind = SimpleSpanProcessor if name == "console" else BatchSpanProcessor
        provider.add_span_processor(kind(exporter))
    trace.set_tracer_provider(provider)
    HttpSession.request = _traced(HttpSession.request, trace.get_tracer("locust"))  # type: ignore[method-assign]


def _traced(request: Callable[..., Any], tracer: Any) -> Callable[..., Any]:
    """``HttpSession.request`` within a span of its own, which the server hears of."""
    from opentelemetry.propagate import inject
    from opentelemetry.trace import SpanKind, StatusCode

    @wraps(request)
    def traced(self: Any, method: str, url: str, name: str | None = None, *more: Any, headers: Any = None, **rest: Any) -> Any:
        shown = name or self.request_name or urlsplit(url).path or "/"
        with tracer.start_as_current_span(f"{method} {shown}", kind=SpanKind.CLIENT) as span:
            carrier = dict(headers or {})
            inject(carrier)
            response = request(self, method, url, name, *more, headers=carrier, **rest)
            span.set_attribute("http.request.method", method)
            span.set_attribute("url.full", self._full_url(url))
            if response.status_code:
                span.set_attribute("http.response.status_code", response.status_code)
            if response.error is not None or response.status_code >= 400:
                span.set_status(StatusCode.ERROR)
            return response

    return traced


def _measure(resource: Any, names: list[str]) -> None:
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader

    found = _exporters("METRICS", names, "metric_exporter", "OTLPMetricExporter", ConsoleMetricExporter)
    readers = [PeriodicExportingMetricReader(exporter) for _, exporter in found]
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=readers))
    meter = metrics.get_meter("locust")
    duration = meter.create_histogram("locust.client.duration", unit="s", description="Time to the last byte of an answer")
    known: set[str] = set()

    @events.request.add_listener
    def on_request(name: str, response_time: float | None = None, exception: Any = None, **_: Any) -> None:
        if name not in known and len(known) < NAMES_MAX:
            known.add(name)
        attributes = {"name": name if name in known else OTHER_NAMES}
        if exception:
            attributes["error.type"] = type(exception).__name__
        if response_time is not None:
            duration.record(response_time / 1000, attributes)

    @events.init.add_listener
    def on_init(runner: Any, **_: Any) -> None:
        def running(_: Any) -> Iterator[Any]:
            for user_class, count in runner.user_classes_count.items():
                yield metrics.Observation(count, {"user_class": user_class})

        meter.create_observable_gauge("locust.users.count", [running], unit="{user}", description="Users that run now")


def _log(resource: Any, names: list[str]) -> None:
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor

    export = importlib.import_module("opentelemetry.sdk._logs.export")
    # The console's was renamed; either name is meant.
    console = getattr(export, "ConsoleLogRecordExporter", None) or export.ConsoleLogExporter
    provider = LoggerProvider(resource=resource)
    for name, exporter in _exporters("LOGS", names, "_log_exporter", "OTLPLogExporter", console):
        kind = SimpleLogRecordProcessor if name == "console" else BatchLogRecordProcessor
        provider.add_log_record_processor(kind(exporter))
    _logs.set_logger_provider(provider)
    handler = LoggingHandler(logger_provider=provider)
    for each in ("", "locust"):  # what is below "locust" does not reach the root
        logging.getLogger(each).addHandler(handler)

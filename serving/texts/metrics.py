"""Prometheus metrics of the text server. Labels never contain values from callers."""

from prometheus_client import CollectorRegistry, Gauge, Histogram

REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0)

UNREADY = Gauge("adloop_unready", "1 while a part makes the server unready.", ("part",), registry=REGISTRY)
REQUESTS = Histogram(
    "adloop_text_request_seconds",
    "Requests to the text server by path and status.",
    ("path", "status"),
    buckets=_SECONDS,
    registry=REGISTRY,
)

"""Merges Prometheus metrics of several servers, distinguished by a label."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LABEL = "server"


def merge(texts: Mapping[str, str]) -> bytes:
    """Merge the texts; each sample gets the label `server`."""
    registry = CollectorRegistry()
    registry.register(_Read(texts))
    return generate_latest(registry)


class _Read(Collector):
    """The parsed texts, each metric once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for server, text in self._texts.items():
            for read in text_string_to_metric_families(text):
                metric = found.setdefault(read.name, Metric(read.name, read.documentation, read.type))
                for sample in read.samples:
                    labels = {**sample.labels, LABEL: server}
                    metric.add_sample(sample.name, labels, sample.value, sample.timestamp)
        return found.values()

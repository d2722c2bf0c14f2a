"""What runs on a cluster: features on Spark, the server's image, its start, and its rolling update."""

from typing import Any

from features.settings import Settings
from tests.benchmarks import infra_cold_start, infra_image, infra_rolling_update, infra_spark


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The rows of all four."""
    parts = (infra_spark, infra_image, infra_cold_start, infra_rolling_update)
    return [row for part in parts for row in part.rows(settings)]

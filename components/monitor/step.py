"""Compare the champion's requests and answers with its training reference."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from features.lake import Place
from features.records import recorded
from features.settings import Settings
from models import bundle as bundles
from models import catalog
from models.bundle import Manifest
from models.registry import Registry
from serving.inference import outcomes, requests
from serving.monitoring import decided as decisions
from serving.monitoring.detector import Expected
from serving.monitoring.embedding import embeds
from serving.monitoring.params import Monitoring
from serving.monitoring.watch import Log, Watched, look

#: Newest days to test: the fewest with this multiple of `min_rows` rows; all available rows where there are fewer.
DAYS, ENOUGH = (1, 7, 28, None), 5


DRIFTED = {"drifted": True, "steady": False, "unknown": None}


class Source(Protocol):
    """A log of requests, see `inference.requests`."""

    def read(self, home: Place, family: str, since: datetime | None) -> pd.DataFrame: ...

    def newest(self, home: Place, family: str) -> datetime | None: ...

    def outcomes(self, home: Place, family: str, logged: pd.DataFrame) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Monitored:
    """The monitoring result of a family's champion.

    Attributes:
        version: the champion's version; None without one.
        drifted: None where there are too few requests.
        retrain: whether to start training.
        features, answers: a column's `statistic`, `p_value`, `psi` and `drifted`.
        outcomes, held: requests whose outcome is known, and each metric's `value` on them and `at_release`.
        decisions: the same of the decisions that it was asked for: `rows`, `drifted`, `note`, `features`, `answers`,
            `outcomes`, `held`. Empty where decisions do not ask the family.
    """

    family: str
    version: str | None
    at: str
    detectors: str
    rows: int
    drifted: bool | None
    retrain: bool
    note: str
    features: Mapping[str, Any]
    answers: Mapping[str, Any]
    outcomes: int
    held: Mapping[str, Any]
    decisions: Mapping[str, Any]


def monitor(family: str, params: Mapping[str, Any], settings: Settings) -> Monitored:
    """Monitor the champion of `family`, and write the result to `monitoring/<family>.json` under `settings.home`.

    `params` is the section `monitoring` of params.yaml.
    """
    section = Monitoring.model_validate(params)
    registry = Registry(settings)
    champion = registry.champion(family)
    version = champion.version if champion else None
    decided: dict[str, Any] = {}
    if version is None:
        watched = Watched(0, "unknown", "no version is released")
    else:
        bundle = registry.download(family, version)
        watched = _look(requests, family, version, bundle, section, settings)
        if decisions.asks(family):
            seen = _look(decisions, family, version, bundle, section, settings)
            decided = dict[str, Any](asdict(seen))
            decided["drifted"] = DRIFTED[decided.pop("verdict")]
    looks = [DRIFTED[watched.verdict], decided.get("drifted")]
    drifted = None if looks == [None, None] else any(looks)
    found: dict[str, Any] = asdict(watched)
    del found["verdict"]
    done = Monitored(
        family=family,
        version=version,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        detectors=settings.detectors,
        drifted=drifted,
        retrain=bool(drifted) and section.retrain,
        decisions=decided,
        **found,
    )
    _keep(done, settings.home / "monitoring" / f"{family}.json")
    return done


def _look(source: Source, family: str, version: str, bundle: Path, params: Monitoring, settings: Settings) -> Watched:
    record, manifest = catalog.family(family), Manifest.model_validate_json((bundle / "manifest.json").read_bytes())
    columns, reference = list(manifest.columns), pd.read_parquet(bundle / "reference.parquet")
    if source is decisions:  # decisions use only some of the answers
        reference = reference[[name for name in reference if name in columns or name in decisions.asks(family)]]
    answered = _answered(source, family, version, params, settings)
    return look(
        settings.detectors,
        _log(answered, columns),
        source.outcomes(recorded(settings), family, answered),
        reference,
        columns,
        record.metrics,
        manifest.metrics,
        params,
        Expected(manifest.moving, bundles.usual(bundle), embeds(manifest.kinds, record.embed)),
    )


def _log(answered: pd.DataFrame, columns: list[str]) -> Log:
    features = requests.features(answered).reindex(columns=columns)
    return Log(answered[outcomes.KEY], features, requests.answers(answered))


def _answered(source: Source, family: str, version: str, params: Monitoring, settings: Settings) -> pd.DataFrame:
    """Rows answered by this version on the newest day, or on more days where these have too few rows, so that a recent
    change is not diluted."""
    home, now = recorded(settings), datetime.now(UTC)
    newest = source.newest(home, family)
    for days in DAYS:
        day = timedelta(days=days) if days is not None else None
        log = source.read(home, family, None if day is None else min(newest or now, now) - day)
        answered = log[(log["version"] == version) & (log["status"] == 200)]
        if day is not None and newest is not None:
            answered = answered[answered["occurred_at"] > newest - day]
        if len(answered) >= ENOUGH * params.min_rows:
            break
    return answered.tail(params.window_rows).reset_index(drop=True)


def _keep(done: Monitored, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(asdict(done), indent=2))
    aside.replace(path)

"""False alarms of the monitors in a business that stays as it is, and how soon they tell a change that was planted.

Each family's model is trained and looked after by the real steps. Then ninety days pass: every day other requests come,
with features of that day, and the monitors look once. `FAMILIES` says what business each is tried on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pandas as pd

from components.featurize.step import featurize
from components.frame import Frame
from components.params import load
from components.train.step import train
from features import store
from features.settings import Settings
from features.tables import Tables
from models import catalog
from models.bundle import Bundle, open_bundle, usual
from serving.monitoring.detector import Detector, Expected, detector
from serving.monitoring.params import Monitoring
from tests.benchmarks import shop

PARAMS = Path(__file__).parents[2] / "params.yaml"
KINDS: tuple[Literal["alibi", "scipy"], ...] = ("alibi", "scipy")
DAYS, A_DAY, SEED = 90, 1000, 11
#: When changes are planted, and the most days that are waited for an alarm.
PLANTED, PATIENCE = 40, 4
#: Columns that each change is tried on, one at a time.
COLUMNS = 6
#: What is looked after must have learnt, but need not have learnt much; in a day a campaign plays all its budgets.
SMALL = {"trees": 10, "rounds": 10, "steps": 10, "episodes": 2, "auctions": 50}


@dataclass(frozen=True)
class Watch:
    """A released model and its requests, a frame of features and answers a day."""

    family: str
    bundle: Bundle
    days: tuple[pd.DataFrame, ...]

    def detector(self, kind: Literal["alibi", "scipy"], params: Monitoring) -> Detector:
        expected = Expected(self.bundle.manifest.moving, usual(self.bundle.folder))
        return detector(kind, self.bundle.reference(), params.threshold, params.min_psi, expected)


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Of each family the worse of both sets of detectors, and over all families and changes the longest delay."""
    params = load(PARAMS).monitoring
    alarms, delays = {}, {}
    for family in ("churn", "ltv", "bidding"):
        with TemporaryDirectory() as folder:
            watch = released(family, Path(folder), settings)
            alarms[family] = {kind: false_alarms(watch, kind, params) for kind in KINDS}
            delays[family] = [delay for kind in KINDS for _, delay in plant(watch, kind, params)]
    unit = f"looks that alarmed of {DAYS}, one a day; the worse of {' and '.join(KINDS)}"
    every = [delay for of_family in delays.values() for delay in of_family]
    worst = max(max(of_family.values()) for of_family in alarms.values())
    name = "monitoring.false_alarms_per_90_days"
    return [
        {"name": name, "value": worst, "goal": "<= 1", "unit": f"{unit}, of the families", "seed": SEED},
        *(
            {"name": f"{name}.{family}", "value": max(told.values()), "goal": "<= 1", "unit": unit, "seed": SEED}
            for family, told in alarms.items()
        ),
        {
            "name": "monitoring.delay_days",
            "value": max(every),
            "low": float(np.quantile(every, 0.1)),
            "high": float(np.quantile(every, 0.9)),
            "goal": "<= 1",
            "unit": f"days, the longest of {len(every)} planted changes; interval: 10-90% quantiles",
            "seed": SEED,
        },
    ]


def false_alarms(watch: Watch, kind: Literal["alibi", "scipy"], params: Monitoring) -> int:
    """Days on which anything is called drifted."""
    looking = watch.detector(kind, params)
    return sum(any(drift.drifted for drift in looking.detect(day).values()) for day in watch.days)


def plant(watch: Watch, kind: Literal["alibi", "scipy"], params: Monitoring) -> Iterator[tuple[str, int]]:
    """Each change by what it is, and the days until its column is called drifted; one more than is waited where not."""
    looking = watch.detector(kind, params)
    for what, column, changed in _changes(watch):
        found = (looking.detect(changed(day))[column].drifted for day in watch.days[PLANTED:][:PATIENCE])
        yield f"{what} of {column}", next((day for day, told in enumerate(found, 1) if told), PATIENCE + 1)


def _changes(watch: Watch) -> Iterator[tuple[str, str, Any]]:
    """Other units, missing and constant columns, new categories: what is planted, in which column, and how."""
    rng, reference = np.random.default_rng(SEED), watch.bundle.reference()
    features = reference[list(watch.bundle.manifest.columns)]
    moving = watch.bundle.manifest.moving
    told = features.columns[features.notna().mean() > 0.1]
    numbers = [name for name in told if pd.api.types.is_float_dtype(features[name]) and name not in moving]
    numbers += [name for name, movement in moving.items() if name in told and movement.kind != "clock"]
    sizeable = [name for name in numbers if (features[name].fillna(0) != 0).mean() > 0.05]
    varied = [name for name in told if name not in moving and features[name].value_counts(normalize=True).iloc[0] < 0.9]
    texts = [name for name in told if features[name].dtype == object]

    def some(names: Any) -> list[str]:
        return [str(name) for name in rng.permutation(list(names))[:COLUMNS]]

    for name in some(sizeable):
        yield "another unit", name, lambda day, name=name: day.assign(**{name: day[name] * 100})
    for name in some(told):
        yield "missing values", name, lambda day, name=name: day.assign(**{name: None})
    for name in some(varied):
        yield "one value", name, lambda day, name=name: day.assign(**{name: day[name].mode().iloc[0]})
    for name in some(texts):
        yield "a new category", name, lambda day, name=name: day.assign(**{name: _renamed(day[name])})


def _renamed(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """A tenth of them is new."""
    return values.where(np.arange(len(values)) % 10 > 0, "never seen before")


def released(family: str, folder: Path, settings: Settings) -> Watch:
    """A model trained on what was known when the ninety days began."""
    own = settings.model_copy(update={"home": folder / "home", "offline_uri": None, "redis_url": None})
    record, section = catalog.family(family), dict(load(PARAMS).section(family))
    section |= {name: min(section[name], most) for name, most in SMALL.items() if name in section}
    section["window"] = section["window"] | {"max_cutoffs": 4}
    auctions = record.table == "auctions"
    tables = shop.write_auctions(folder / "tables") if auctions else shop.write(folder / "tables", 30_000)
    start = pd.Timestamp(shop.START) + pd.Timedelta(days=(shop.AUCTION_DAYS if auctions else shop.DAYS) - DAYS - 1)
    featurize(tables, family, section, start.isoformat(), own, folder / "frame", online=False)
    train(folder / "frame", family, section, folder / "checkpoint", folder / "bundle")
    bundle = open_bundle(folder / "bundle", None)
    asked = _auctions(record, tables, section, start) if auctions else _customers(tables, start)
    columns = Frame(folder / "frame").columns
    snapshot = store.build(Tables(tables), record.feature_service, asked, None, own)
    joined = store.training_frame(snapshot, asked, own)
    by_day = joined.groupby("day", sort=True)[columns]
    days = tuple(day.join(bundle.model.predict(day)) for day in (rows.reset_index(drop=True) for _, rows in by_day))
    return Watch(family, bundle, days)


def _customers(tables: Path, start: pd.Timestamp) -> pd.DataFrame:
    """Every day some of those who have ever bought by then."""
    bought = pd.read_parquet(tables / "transactions.parquet")
    first = bought.groupby("customer_id")["occurred_at"].min()
    rng, days = np.random.default_rng(SEED), []
    for day in range(1, DAYS + 1):
        at = start + pd.Timedelta(days=day)
        who = rng.choice(first.index[first <= at].to_numpy(), A_DAY, replace=False)
        days.append(pd.DataFrame({"customer_id": who, "event_timestamp": at, "day": day}))
    return pd.concat(days, ignore_index=True).astype({"event_timestamp": "datetime64[us]"})


def _auctions(record: Any, tables: Path, section: Mapping[str, Any], start: pd.Timestamp) -> pd.DataFrame:
    """The auctions of each day, as a bidder who paces meets them."""
    read = record.params.read(section)
    examples = record.examples(Tables(tables), read, None, str(start))
    later = examples[(examples["split"] == "test")].reset_index(drop=True)
    day = (later["event_timestamp"] - start).dt.days + 1
    return later.assign(day=day)[day <= DAYS].reset_index(drop=True)


if __name__ == "__main__":  # what each look and each planted change came to
    with TemporaryDirectory() as place:
        import sys

        seen = released(sys.argv[1], Path(place), Settings())
        said = load(PARAMS).monitoring
        for how in KINDS:
            one = seen.detector(how, said)
            for number, given in enumerate(seen.days, 1):
                moved = {
                    name: (drift.why, round(drift.psi, 2)) for name, drift in one.detect(given).items() if drift.drifted
                }
                if moved:
                    print(how, number, len(given), moved, flush=True)
            print(how, "delays", sorted(plant(seen, how, said), key=lambda told: -told[1])[:12], flush=True)

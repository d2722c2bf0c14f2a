"""A family small enough to start in a second, whose bundle can say how it is to misbehave."""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from features.examples import Window
from features.settings import Settings
from features.transforms import CUSTOMER
from features.views import SERVICES, Service
from models import bundle, catalog
from models.evaluation.metrics import auc
from models.family import Family, FamilyParams
from models.inputs import InvalidRows
from models.keys import signing_key
from models.registry import Registry

SERVER = "tests.integration.probe_server"
#: What it prints when it begins to sleep.
SLEEPS = "the model sleeps"
COLUMNS = {"recency": "float64", "orders": "int64", "member": "bool", "plan": "object"}


@dataclass(frozen=True)
class Probe:
    """A logistic score; the faults are part of the model, so that a server runs with nothing patched in it."""

    weight: float = 1.0
    shift: float = 0.0
    sleep_s: float = 0.0
    fails: bool = False
    #: The process dies on this call; 0 is never.
    dies_at: int = 0
    refuses: bool = False
    #: Must be given this column too.
    also: str = ""
    #: Answer by this one column instead.
    reads: str = ""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        if self.reads:
            return pd.DataFrame({"probability": 1 / (1 + np.exp(-rows[self.reads] / 30))}, index=rows.index)
        for name in columns_of(self):
            if name not in rows:
                raise InvalidRows(name, "a column of this name", "no such column")
        if len(rows) and (rows["plan"] != "warm").all():  # the server's own first call is spared
            self._misbehave()
        plan = np.array([{"gold": -0.5, "basic": 0.5}.get(one, 0.0) for one in rows["plan"]])
        recency = np.nan_to_num(rows["recency"].to_numpy(float), nan=0.5)
        member = np.array([one == 1 for one in rows["member"]], dtype=float)
        orders = rows["orders"].to_numpy(float)
        logit = self.weight * (3 * recency - 1.5) - 0.2 * orders - member + plan + self.shift
        score = 1 / (1 + np.exp(-logit))
        return pd.DataFrame({"probability": score, "band": np.where(score > 0.5, "high", "low")}, index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        drivers = [[{"feature": "recency", "effect": float(value)}] for value in rows["recency"]]
        return pd.DataFrame({"top_drivers": drivers}, index=rows.index)

    def save(self, folder: Path) -> None:
        (folder / "probe.json").write_text(json.dumps(asdict(self)))

    def _misbehave(self) -> None:
        global calls
        calls += 1
        if self.sleep_s:
            print(SLEEPS, flush=True)
            time.sleep(self.sleep_s)
        if self.dies_at and calls >= self.dies_at:
            os._exit(3)
        if self.fails:
            raise RuntimeError("the model is broken")
        if self.refuses:
            raise InvalidRows("orders", "something else", 0)


calls = 0


def columns_of(model: Probe) -> dict[str, str]:
    """What its manifest says it reads."""
    if model.reads:
        return {model.reads: "float64"}
    return COLUMNS | ({model.also: "float64"} if model.also else {})


def load(folder: Path) -> Probe:
    return Probe(**json.loads((folder / "probe.json").read_text()))


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: FamilyParams, checkpoint: Path) -> Probe:
    return Probe()


FAMILY = Family(
    name="probe",
    entity="customer_id",
    feature_service="probe_v1",
    label=("churned",),
    examples=lambda *_: pd.DataFrame(),
    params=FamilyParams,
    fit=fit,
    load=load,
    baselines={"naive": fit},
    metrics=(auc("churned", "probability"),),
    gates=(),
)


def install() -> None:
    """Put the probe into the catalog, as a folder, a name and a FeatureService would."""
    module = ModuleType("models.probe")
    module.__dict__["FAMILY"] = FAMILY
    sys.modules["models.probe"] = module
    catalog.NAMES = (*catalog.NAMES, "probe")
    SERVICES["probe_v1"] = Service(CUSTOMER, ("rfm",))


def remove() -> None:
    """Take it out again: other tests count the families."""
    del sys.modules["models.probe"], SERVICES["probe_v1"]
    catalog.NAMES = tuple(name for name in catalog.NAMES if name != "probe")


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """Feature rows with some missing values."""
    rng = np.random.default_rng(seed)
    recency = rng.random(count)
    recency[rng.random(count) < 0.05] = np.nan
    plan = rng.choice(["gold", "basic", "new"], count).astype(object)
    return pd.DataFrame(
        {"recency": recency, "orders": rng.poisson(2, count), "member": rng.random(count) < 0.5, "plan": plan}
    )


def frame(count: int, seed: int = 0) -> pd.DataFrame:
    """Held-out examples whose truth follows the honest probe."""
    found = rows(count, seed)
    chance = Probe(weight=1.5).predict(found.assign(plan="warm"))["probability"]
    found["churned"] = (np.random.default_rng(seed + 1).random(count) < chance).astype(int)
    found["customer_id"] = [f"c{number}" for number in range(count)]
    found["event_timestamp"] = pd.Timestamp("2026-01-01", tz="UTC")
    found["split"] = "test"
    return found


def write(folder: Path, settings: Settings, model: Probe, version: str = "1") -> Path:
    """A signed bundle of `model`."""
    write_unsigned(folder, model)
    bundle.sign(folder, signing_key(settings), version)
    return folder


def register(model: Probe, settings: Settings, folder: Path) -> str:
    """`model` as an accepted version of the real registry; its version."""
    trained, evaluation = write_unsigned(folder / "bundle", model), folder / "evaluation"
    evaluation.mkdir()
    digest = bundle.verify(trained, None)
    judged = {"bundle_digest": digest, "passed": True, "metrics": {"auc": 0.8}, "gates": []}
    (evaluation / "evaluation.json").write_text(json.dumps(judged))
    (evaluation / "card.md").write_text("# Probe")
    # So few that a canary and its champion are judged on the same customers: of others, chance alone sets them apart.
    sent = _seen_by(model, frame(100))[["customer_id", *columns_of(model), "churned"]]
    sent.to_parquet(evaluation / "requests.parquet")
    return Registry(settings).register(trained, evaluation).version


def _seen_by(model: Probe, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the column that only this model reads."""
    names = [name for name in (model.also, model.reads) if name]
    return frame.assign(**{name: frame["recency"] for name in names})


def write_unsigned(folder: Path, model: Probe) -> Path:
    """A bundle as training leaves it."""
    manifest = bundle.Manifest(
        family="probe",
        feature_service="churn_v1" if model.reads else "probe_v1",
        columns=columns_of(model),
        label=("churned",),
        params={"window": Window(horizon_days=28, step_days=28, min_history_days=84).model_dump()},
        seed=1,
        data_hash="0" * 64,
        git_commit="0" * 40,
    )
    reference = _seen_by(model, rows(50).assign(plan="warm"))[list(columns_of(model))]
    honest = replace(model, fails=False, dies_at=0, sleep_s=0.0, refuses=False)
    bundle.write(folder, model, manifest, reference.join(honest.predict(reference)))
    return folder

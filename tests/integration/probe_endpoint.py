"""`python -m serving.decisions` with two small families in the catalog, which fail where a feature says so."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pandas as pd

from features.examples import Window
from features.settings import Settings
from features.transforms import CUSTOMER
from features.views import SERVICES, Service
from models import bundle, catalog
from models.evaluation.metrics import auc
from models.family import Family, FamilyParams
from models.keys import signing_key
from models.tabular import Encoder, Matrix
from serving.decisions.__main__ import main
from serving.decisions.kinds import bid, kinds
from serving.decisions.kinds.kind import Kind, Need
from tests.toyland import image

SERVICE = "probe_v1"
COLUMNS = {
    "clicks": {
        "recency_days": "float64",
        "frequency": "float64",
        "plan": "object",
        "device": "object",
        "poison": "float64",
    },
    "bidder": {"predicted_ctr": "float64", "floor_price": "float64"},
    "scores": {"frequency": "float64"},
}


@dataclass(frozen=True)
class Clicks:
    """A click rate from a customer's features and the device. `poison` 1 breaks it, 2 makes it answer NaN."""

    shift: float = 0.0

    @cached_property
    def encoder(self) -> Encoder:
        categories = {"device": ("desktop", "mobile"), "plan": ("basic", "gold")}
        return Encoder(("frequency", "poison", "recency_days"), (), categories)

    def answer(self, encoded: Matrix) -> dict[str, Any]:
        frequency, poison, recency, _, mobile, _, gold = np.nan_to_num(encoded.astype(float)).T
        if (poison == 1).any():
            raise RuntimeError("the model is broken")
        logit = self.shift - 3 + 0.1 * frequency - 0.01 * recency + 0.5 * mobile + 0.25 * gold
        return {"predicted_ctr": np.where(poison == 2, np.nan, 1 / (1 + np.exp(-logit)))}

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(self.answer(self.encoder.encode(rows)), index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"top_drivers": [[] for _ in rows.index]}, index=rows.index)

    def save(self, folder: Path) -> None:
        (folder / "model.json").write_text(json.dumps({"shift": self.shift}))


@dataclass(frozen=True)
class Bidder:
    """Bids by the click rate, and answers frames only. `shift` is what it adds."""

    shift: float = 0.0

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        bid = 1 + 2 * rows["predicted_ctr"] + self.shift
        return pd.DataFrame({"policy_bid": bid, "baseline_bid": 1.5}, index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"top_drivers": [[] for _ in rows.index]}, index=rows.index)

    def save(self, folder: Path) -> None:
        (folder / "model.json").write_text(json.dumps({"shift": self.shift}))


KINDS: dict[str, Any] = {"clicks": Clicks, "bidder": Bidder}
#: What a bid is made from where the two are in the catalog.
NEEDS = {
    "predicted_ctr": Need("clicks", "predicted_ctr", "customer_id"),
    "policy_bid": Need("bidder", "policy_bid", "customer_id"),
    "baseline_bid": Need("bidder", "baseline_bid", "customer_id"),
}


def asked_by(needs: Mapping[str, Need], **more: Any) -> None:
    """Have bids made from these answers."""
    cast(dict[str, Kind], kinds())["bid"] = replace(bid.KIND, needs=needs, **more)


def family(name: str) -> Family:
    """One of the two as a record of the catalog."""
    return Family(
        name=name,
        entity="customer_id",
        feature_service="none" if name == "bidder" else SERVICE,
        label=("clicked",),
        examples=lambda *_: pd.DataFrame(),
        params=FamilyParams,
        fit=lambda *_: KINDS[name](),
        load=lambda folder: KINDS[name](**json.loads((folder / "model.json").read_text())),
        baselines={"naive": lambda *_: KINDS[name]()},
        metrics=(auc("clicked", "predicted_ctr"),),
        gates=(),
    )


def install() -> None:
    """Put both into the catalog, as folders and names would."""
    for name in KINDS:
        module = ModuleType(f"models.{name}")
        module.__dict__["FAMILY"] = family(name)
        sys.modules[module.__name__] = module
    catalog.NAMES = (*catalog.NAMES, *KINDS)
    asked_by(NEEDS)
    SERVICES[SERVICE] = Service(CUSTOMER, ("rfm", "attributes"))


def remove() -> None:
    """Take them out again: other tests count the families."""
    for name in KINDS:
        del sys.modules[f"models.{name}"]
    catalog.NAMES = tuple(name for name in catalog.NAMES if name not in KINDS)
    asked_by(bid.NEEDS)
    del SERVICES[SERVICE]


def write(folder: Path, name: str, model: Any, settings: Settings) -> Path:
    """A signed bundle of a family's model, put in the place of the one that was there, whole."""
    with bundle.aside(folder) as new:
        manifest = bundle.Manifest(
            family=name,
            feature_service=family(name).feature_service,
            columns=COLUMNS[name],
            label=("clicked",),
            params={"window": Window(horizon_days=28, step_days=28, min_history_days=84).model_dump()},
            seed=1,
            data_hash="0" * 64,
            git_commit="0" * 40,
        )
        row = {column: ["mobile"] if dtype == "object" else [0.5] for column, dtype in COLUMNS[name].items()}
        bundle.write(new, model, manifest, pd.DataFrame(row))
        bundle.sign(new, signing_key(settings), "1")
    return folder


if __name__ == "__main__":
    image.enter()
    install()
    main()

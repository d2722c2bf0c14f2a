"""Lifetime value on CDNOW: spend in the 273 days after 1997-09-30, from what was known by then.

And, in `ltv_splits.py`, of three shops at other times and horizons.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.featurize.step import featurize
from components.frame import Frame
from components.ingest.step import ingest
from components.params import load
from features.settings import Settings
from models.evaluation import bootstrap
from models.ltv import FAMILY
from models.ltv.fit import newest
from models.ltv.histories import Histories
from tests.benchmarks import ltv_splits

CUTOFF, HORIZON = "1997-09-30", 273
PARAMS = Path(__file__).parents[2] / "params.yaml"
#: Better than both BG/NBD + Gamma-Gamma and past spend, and an interval that holds what it says.
GOALS = {"gini": "> .696", "spearman": "> .421", "mae": "< 32.68", "coverage80": ">= .77, <= .83"}
#: What is published of the field's answers on these customers: whether the baselines are the ones that others know.
PUBLISHED = {
    "past_spend": {"gini": ">= .695, <= .697", "spearman": ">= .394, <= .396"},
    "bg_nbd_gamma_gamma": {
        "gini": ">= .671, <= .673",
        "spearman": ">= .420, <= .422",
        "mae": ">= 32.66, <= 32.70",
    },
}
UNITS = {"mae": "USD over 273 days", "coverage80": "share of customers"}


def rows(settings: Settings) -> list[dict[str, Any]]:
    """All rows of this part."""
    return [*cdnow_rows(settings), *ltv_splits.rows(settings)]


def cdnow_rows(settings: Settings) -> list[dict[str, Any]]:
    """One row a figure; the baseline is the better of past spend and BG/NBD + Gamma-Gamma on it."""
    with tempfile.TemporaryDirectory() as folder:
        frame, section = cdnow(Path(folder), settings)
        params, test = FAMILY.params.read(section), frame.split("test")
        learn, tune = frame.split("train"), frame.split("valid")
        model = FAMILY.fit(learn, tune, params, Path(folder) / "checkpoint")
        answers = model.predict(test[frame.columns])
        naive = FAMILY.baselines[FAMILY.naive](learn, tune, params, Path(folder)).predict(test)
    told = {"seed": params.seed, "data_hash": frame.about["data_hash"]}
    fields = {"past_spend": naive, "bg_nbd_gamma_gamma": field(test)}
    reached = [
        {
            "name": f"ltv.cdnow.{metric.name}",
            **vars(bootstrap.interval(metric, test, answers, params.seed)),
            "baseline": _better(metric, test, list(fields.values())) if metric.answer else None,
            "goal": GOALS[metric.name],
            "unit": UNITS.get(metric.name, ""),
        }
        for metric in FAMILY.metrics
        if metric.name in GOALS
    ]
    published = [
        {
            "name": f"ltv.cdnow.{other}.{metric.name}",
            "value": metric.measure(test, fields[other]),
            "goal": goals[metric.name],
            "unit": UNITS.get(metric.name, ""),
        }
        for other, goals in PUBLISHED.items()
        for metric in FAMILY.metrics
        if metric.name in goals
    ]
    return [record | told for record in (*reached, *published)]


def cdnow(folder: Path, settings: Settings) -> tuple[Frame, dict[str, Any]]:
    """The frame of CDNOW as the pipeline makes it, and the parameters it was made by."""
    section = load(PARAMS).section("ltv")
    section = {**section, "window": {**section["window"], "horizon_days": HORIZON}}
    own = settings.model_copy(update={"home": folder, "offline_uri": None})
    ingest(["cdnow"], folder / "tables", own)
    featurize(folder / "tables", "ltv", section, None, own, folder / "features", cutoff=CUTOFF, online=False)
    return Frame(folder / "features"), section


def _better(metric: Any, test: pd.DataFrame, others: list[pd.DataFrame]) -> float:
    figures = [metric.measure(test, answers) for answers in others]
    return max(figures) if metric.higher_is_better else min(figures)


def field(test: pd.DataFrame) -> pd.DataFrame:
    """BG/NBD + Gamma-Gamma at its best: fitted, without labels, on all of the history it predicts from."""
    btyd, histories = newest(test, repeats_only=True), Histories.of(test)
    purchases = btyd.purchases(histories, np.full(len(test), float(HORIZON)))
    return pd.DataFrame({"value": purchases * btyd.mean_value(histories)}, index=test.index)

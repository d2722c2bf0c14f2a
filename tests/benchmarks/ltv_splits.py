"""Lifetime value of three shops at other times and horizons: what intervals hold, and where the model stands."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from components.featurize.step import featurize
from components.frame import Frame
from components.ingest.step import ingest
from components.params import load
from features.settings import Settings
from models.evaluation import bootstrap
from models.evaluation.baseline_comparison import BaselineComparison
from models.ltv import FAMILY
from models.ltv.verdicts import coverage_by_band

ROOT = Path(__file__).parents[2]
RETAIL = ROOT.parent / "shared/data/online_retail_2009_2010/online_retail_2009_2010.parquet"
COVERAGE = next(metric for metric in FAMILY.metrics if metric.band)


@dataclass(frozen=True)
class Split:
    """A shop's customers at a cutoff, and how far ahead is looked. `goal` of its coverage, where it can be reached."""

    name: str
    source: str
    cutoff: str
    horizon: int
    goal: str = ">= .77, <= .83"


#: Five of six of CDNOW's customers buy nothing in 84 days: no interval that begins at 0 holds fewer than these. A
#: retailer's autumn is told apart: with ten months of history, no holiday season was ever seen. Its other coverages are
#: of one season each: after twelve cutoffs, intervals over 90 days held .85 (in May) to .69 (August), .795 on average.
SPLITS = (
    Split("cdnow_84d", "cdnow", "1998-04-07", 84, goal=""),
    Split("cdnow_273d", "cdnow", "1997-09-30", 273),
    Split("complete_journey_84d", "complete_journey", "2017-10-08", 84),
    Split("complete_journey_220d", "complete_journey", "2017-05-25", 220),
    Split("online_retail_90d", "online_retail", "2010-06-30", 90),
    Split("online_retail_160d", "online_retail", "2010-06-30", 160),
    Split("online_retail_first_autumn", "online_retail", "2010-09-10", 90, goal=""),
)
FIGURES = ("coverage80", "worst_band", "held_of_buyers", "width_vs_past_spend", "vs_best_baseline")


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Five rows a split."""
    return [record for split in SPLITS for record in _measured(split, settings)]


def retail(folder: Path) -> None:
    """A year of a wholesaler's invoice lines as canonical transactions."""
    lines = pd.read_parquet(RETAIL).dropna(subset="Customer ID")
    pd.DataFrame(
        {
            "customer_id": lines["Customer ID"].astype(int).astype(str),
            "occurred_at": pd.to_datetime(lines["InvoiceDate"]),
            "amount": lines["Quantity"] * lines["Price"],
            "quantity": lines["Quantity"].astype(float),
            "product_id": lines["StockCode"].astype(str),
            "order_id": lines["Invoice"].astype(str),
        }
    ).to_parquet(folder / "transactions.parquet")


def _measured(split: Split, settings: Settings) -> Iterator[dict[str, Any]]:
    if split.source == "online_retail" and not RETAIL.is_file():
        for figure in FIGURES:
            yield {"name": f"ltv.{figure}.{split.name}", "absent": f"{RETAIL.name} is not there"}
        return
    with tempfile.TemporaryDirectory() as folder:
        frame, params = featurized(split, Path(folder), settings)
        learn, tune, test = (frame.split(name) for name in ("train", "valid", "test"))
        fits = {"ours": FAMILY.fit, **FAMILY.baselines}
        answers = {name: fit(learn, tune, params, Path(folder) / name).predict(test) for name, fit in fits.items()}
        told = {"seed": params.seed, "data_hash": frame.about["data_hash"]}
    ours = answers.pop("ours")
    buyers = test["value"] > 0
    covered = vars(bootstrap.interval(COVERAGE, test, ours, params.seed))
    standing = BaselineComparison.of(FAMILY.metrics[0], test, ours, answers, params.seed)
    found = {
        "coverage80": {
            **covered,
            "baseline": COVERAGE.measure(test, answers[FAMILY.naive]),
            "goal": split.goal,
            "unit": f"share of customers, {1 - buyers.mean():.0%} buy nothing; baseline: past spend",
        },
        "worst_band": {
            "value": float(coverage_by_band(test, ours).min()),
            "baseline": float(coverage_by_band(test, answers[FAMILY.naive]).min()),
            "goal": split.goal and "> .65",
            "unit": "share of customers, in the worst tenth by value",
        },
        "held_of_buyers": {
            "value": COVERAGE.measure(test[buyers], ours[buyers]),
            "unit": "share of those who buy, of whom an interval is promised nothing by itself",
        },
        "width_vs_past_spend": {
            "value": _width(ours) / _width(answers[FAMILY.naive]),
            "baseline": _width(answers["bg_nbd_gamma_gamma"]) / _width(answers[FAMILY.naive]),
            "unit": "mean width, baseline: BG/NBD + Gamma-Gamma",
        },
        "vs_best_baseline": {
            **vars(standing.gains[standing.nearest]),
            "goal": "" if standing.undefined else ">= 0",
            "unit": f"difference in Gini, to {standing.nearest}",
        },
    }
    for figure in FIGURES:
        yield {"name": f"ltv.{figure}.{split.name}", **found[figure], **told}


def featurized(split: Split, folder: Path, settings: Settings) -> tuple[Frame, Any]:
    """The frame of a split as the pipeline makes it, and the parameters of its horizon."""
    section = load(ROOT / "params.yaml").section("ltv")
    section = {**section, "window": {**section["window"], "horizon_days": split.horizon}}
    own, source = settings.model_copy(update={"home": folder, "offline_uri": None}), split.source
    if source == "online_retail":
        source = str(folder / "own")
        (folder / "own").mkdir()
        retail(folder / "own")
    ingest([source], folder / "tables", own)
    featurize(folder / "tables", "ltv", section, None, own, folder / "features", cutoff=split.cutoff, online=False)
    return Frame(folder / "features"), FAMILY.params.read(section)


def _width(answers: pd.DataFrame) -> float:
    return float((answers["value_high"] - answers["value_low"]).mean())

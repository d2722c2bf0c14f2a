"""Churn of a telecom's subscribers (label given) and of a grocer's households (no purchase within the horizon)."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.featurize.step import featurize
from components.frame import Frame
from components.ingest.step import ingest
from components.params import load
from features.settings import Settings
from models.churn import FAMILY, ChurnParams
from models.churn.stacking import deal
from models.evaluation import bootstrap
from models.evaluation.baseline_comparison import BaselineComparison
from models.evaluation.metrics import Metric
from models.family import Fit

ROOT = Path(__file__).parents[2]
TELCO = ROOT.parent / "shared/data/telco_ibm/Telco-Customer-Churn.csv.gz"
FOLDS, SHUFFLES = 5, (0, 1, 2)
#: Expected calibration error: ten bins of equal mass.
GOALS = {"auc": ">= .850", "ece": "<= .02"}
#: AUC above that of the best baseline, on the same rows.
BEATEN_BY_NONE = ">= 0"
METRICS = {metric.name: metric for metric in FAMILY.metrics}


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The rows of this part; baselines are LightGBM stopped in time on the telecom and recency alone on the grocer."""
    return [*telco_rows(settings), *complete_journey_rows(settings)]


def telco_rows(settings: Settings) -> list[dict[str, Any]]:
    """Values and interval bounds are means over several shufflings into five folds."""
    if not TELCO.is_file():
        absent = f"{TELCO.parent.name} is not there"
        goals = GOALS | {"vs_best_baseline": BEATEN_BY_NONE}
        return [{"name": f"churn.telco.{name}", "goal": goal, "absent": absent} for name, goal in goals.items()]
    with tempfile.TemporaryDirectory() as folder:
        frame, params = telco(Path(folder), settings)
        ours = [out_of_fold(FAMILY.fit, frame, params, shuffle) for shuffle in SHUFFLES]
        rivals = [_rivals(frame, params, shuffle) for shuffle in SHUFFLES]
        peer = [answers["lightgbm_stopped"] for answers in rivals]
        told = {
            "unit": f"out of {FOLDS} folds, mean of {len(SHUFFLES)} shufflings",
            "seed": params.seed,
            "data_hash": frame.about["data_hash"],
        }
        return [
            {"name": f"churn.telco.{name}", **_figures(METRICS[name], frame.rows, ours, peer, params), "goal": goal}
            | told
            for name, goal in GOALS.items()
        ] + [told | _against("churn.telco", frame.rows, ours[0], rivals[0], params)]


def complete_journey_rows(settings: Settings) -> list[dict[str, Any]]:
    """AUC at a cutoff later than all that is learnt from; the goal is the upper bound of recency alone."""
    with tempfile.TemporaryDirectory() as folder:
        frame, params = complete_journey(Path(folder), settings)
        learn, tune, test = (frame.split(name) for name in ("train", "valid", "test"))
        ours = FAMILY.fit(learn, tune, params, Path(folder) / "checkpoint").predict(test[frame.columns])
        rivals = {name: fit(learn, tune, params, Path(folder)).predict(test) for name, fit in FAMILY.baselines.items()}
    auc = METRICS["auc"]
    reached, beaten = (bootstrap.interval(auc, test, answers, params.seed) for answers in (ours, rivals[FAMILY.naive]))
    told = {
        "unit": f"{params.window.horizon_days} days ahead",
        "seed": params.seed,
        "data_hash": frame.about["data_hash"],
    }
    name = "churn.complete_journey"
    return [
        {"name": f"{name}.auc", **vars(reached), "baseline": beaten.value, "goal": f"> {beaten.high:.4f}"} | told,
        told | _against(name, test, ours, rivals, params),
    ]


def _rivals(frame: Frame, params: ChurnParams, shuffle: int) -> dict[str, pd.DataFrame]:
    """What each baseline answers out of fold; all of them in one shuffling, the peer in each."""
    names = list(FAMILY.baselines) if shuffle == SHUFFLES[0] else ["lightgbm_stopped"]
    return {name: out_of_fold(FAMILY.baselines[name], frame, params, shuffle) for name in names}


def _against(
    name: str, truth: pd.DataFrame, ours: pd.DataFrame, rivals: dict[str, pd.DataFrame], params: ChurnParams
) -> dict[str, Any]:
    """AUC above the best baseline's, with the paired interval; `unit` names it, and those better beyond noise."""
    standing = BaselineComparison.of(METRICS["auc"], truth, ours, rivals, params.seed)
    return {
        "name": f"{name}.vs_best_baseline",
        **vars(standing.gains[standing.nearest]),
        "goal": BEATEN_BY_NONE,
        "unit": f"AUC above {standing.nearest}; better beyond noise: {' '.join(standing.better) or 'none'}",
    }


def telco(folder: Path, settings: Settings) -> tuple[Frame, ChurnParams]:
    """The frame of IBM's telecom, from canonical tables as any subscription business would give them."""
    told = pd.read_csv(TELCO, na_values=" ").rename(columns={"customerID": "customer_id", "Churn": "churned"})
    own = folder / "own"
    own.mkdir(parents=True)
    told.assign(churned=told["churned"] == "Yes").to_parquet(own / "customers.parquet", index=False)
    return featurized(str(own), folder, settings)


def complete_journey(folder: Path, settings: Settings, **window: int) -> tuple[Frame, ChurnParams]:
    """The frame of the bundled grocer as the pipeline makes it."""
    return featurized("complete_journey", folder, settings, **window)


def featurized(source: str, folder: Path, settings: Settings, **window: int) -> tuple[Frame, ChurnParams]:
    """The frame of a source, made under `folder`, and the parameters it was made by; `window` changes its window."""
    section = load(ROOT / "params.yaml").section("churn")
    section = {**section, "window": {**section["window"], **window}}
    own = settings.model_copy(update={"home": folder, "offline_uri": None})
    ingest([source], folder / "tables", own)
    featurize(folder / "tables", "churn", section, None, own, folder / "features", online=False)
    return Frame(folder / "features"), FAMILY.params.read(section)


def out_of_fold(fit: Fit, frame: Frame, params: ChurnParams, shuffle: int) -> pd.DataFrame:
    """What is answered of every customer by a model that never saw it, on the index of the frame's rows."""
    fold = _folds(frame.rows, FOLDS, shuffle)
    answers = []
    for k in range(FOLDS):
        known = frame.rows[fold != k]
        tune = _folds(known, FOLDS, shuffle) == 0
        with tempfile.TemporaryDirectory() as checkpoint:
            model = fit(known[~tune], known[tune], params, Path(checkpoint))
        answers.append(model.predict(frame.rows.loc[fold == k, frame.columns]))
    return pd.concat(answers).loc[frame.rows.index]


def _folds(frame: pd.DataFrame, folds: int, seed: int) -> npt.NDArray[np.intp]:
    return deal(frame["customer_id"].to_numpy(dtype=str), frame["churned"].to_numpy(dtype=float), folds, seed)


def _figures(
    metric: Metric,
    truth: pd.DataFrame,
    ours: Sequence[pd.DataFrame],
    peer: Sequence[pd.DataFrame],
    params: ChurnParams,
) -> dict[str, float]:
    intervals = [bootstrap.interval(metric, truth, answers, params.seed) for answers in ours]
    figures = {name: float(np.mean([vars(one)[name] for one in intervals])) for name in ("value", "low", "high")}
    return figures | {"baseline": float(np.mean([metric.measure(truth, answers) for answers in peer]))}

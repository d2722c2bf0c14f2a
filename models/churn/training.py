"""Fitting the ensemble: every member on every fold, the stack on what they say out of fold, every member on all."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd

from models.churn import boosting, forest, logistic, network
from models.churn.basis import Floats
from models.churn.model import Answers, ChurnModel, session
from models.churn.params import ChurnParams
from models.churn.stacking import Stack, deal
from models.tabular import Encoder, feature_columns

ENTITY, LABEL = "customer_id", "churned"
Learn = Callable[[Floats, Floats, ChurnParams, int, Path], onnx.ModelProto]
MEMBERS: dict[str, Learn] = {
    "logistic": logistic.fit,
    "forest": forest.fit,
    "boosting": boosting.fit,
    "network": network.fit,
}


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> ChurnModel:
    """Learn from both frames; calibrate on what is said out of fold of the rows at the latest cutoff.

    Each fitted member is kept in `checkpoint` under a name made of data and parameters: a fit that was killed goes on
    where it was, and one of other data starts anew. Raises `ValueError` where too few have left or stayed.
    """
    frame = pd.concat([train, valid], ignore_index=True)
    rows = frame[feature_columns(frame, ENTITY, (LABEL,))]
    encoder = Encoder.fit(rows)
    x, churned = encoder.encode(rows), frame[LABEL].to_numpy(dtype=np.float32)
    _check(frame, params.folds)
    fold = deal(frame[ENTITY].to_numpy(dtype=str), churned, params.folds, params.seed)
    progress = checkpoint / _identity(x, churned, fold, params)
    progress.mkdir(parents=True, exist_ok=True)

    logits = np.column_stack([_out_of_fold(name, x, churned, fold, params, progress) for name in MEMBERS])
    latest = (frame["event_timestamp"] == frame["event_timestamp"].max()).to_numpy()
    stack = Stack.fit(logits, churned.astype(np.float64), latest)
    graphs = {name: _member(name, x, churned, params, params.seed, progress / f"{name}.all.onnx") for name in MEMBERS}
    booster = bytes(boosting.train(x, churned, params, params.seed).save_raw("json"))
    return ChurnModel(encoder, graphs, stack, Answers(params.window.horizon_days, params.bands), booster)


def _check(frame: pd.DataFrame, folds: int) -> None:
    for outcome, what in ((0, "stayed"), (1, "left")):
        count = frame.loc[frame[LABEL] == outcome, ENTITY].nunique()
        if count < 2 * folds:
            raise ValueError(f"label '{LABEL}': expected at least {2 * folds} customers who {what}, got {count}")


def _out_of_fold(
    name: str, x: Floats, churned: Floats, fold: npt.NDArray[np.intp], params: ChurnParams, progress: Path
) -> npt.NDArray[np.float64]:
    """Log-odds of each row by a member that did not learn from its customer."""
    logits = np.empty(len(x))
    for k in range(params.folds):
        learnt, held = fold != k, fold == k
        graph = _member(name, x[learnt], churned[learnt], params, params.seed + 1 + k, progress / f"{name}.{k}.onnx")
        logits[held] = session(graph).run(None, {"x": x[held]})[0][:, 0]
    return logits


def _member(name: str, x: Floats, churned: Floats, params: ChurnParams, seed: int, kept: Path) -> bytes:
    """The graph in the file `kept`, or a newly fitted one, then kept there."""
    if kept.exists():
        return kept.read_bytes()
    graph: bytes = MEMBERS[name](x, churned, params, seed, kept.with_suffix(".npz")).SerializeToString(
        deterministic=True
    )
    aside = kept.with_suffix(".aside")
    aside.write_bytes(graph)
    aside.replace(kept)
    return graph


def _identity(x: Floats, churned: Floats, fold: npt.NDArray[np.intp], params: ChurnParams) -> str:
    """A name that any change of data or parameters changes."""
    seen = hashlib.sha256(params.model_dump_json().encode())
    for array in (np.asarray(x.shape), x, churned, fold):
        seen.update(np.ascontiguousarray(array).tobytes())
    return seen.hexdigest()[:16]

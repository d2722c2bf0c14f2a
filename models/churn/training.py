"""Fitting the ensemble: every candidate on every fold, a choice by what they say out of fold, the chosen on all."""

import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn import forest, logistic, network, selection
from models.churn.boosting import Capacity
from models.churn.members import Learn, Member, write
from models.churn.model import Answers, ChurnModel, session
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Floats
from models.churn.plain import PLAIN, shrunk_regression
from models.churn.stacking import Array, Stack, deal
from models.tabular import Encoder, feature_columns

ENTITY, LABEL = "customer_id", "churned"
#: By how many times the noise a member must be behind to be left out.
BEYOND = 2.0
Folds = npt.NDArray[np.intp]


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, checkpoint: Path) -> ChurnModel:
    """Learn from both frames; calibrate on what is said out of fold of the rows at the latest cutoff.

    Each fitted member is kept in `checkpoint` under a name made of data and parameters: a fit that was killed goes on
    where it was, and one of other data starts anew. Raises `ValueError` where too few have left or stayed.
    """
    frame = pd.concat([train, valid], ignore_index=True)
    _check(frame, params.folds)
    rows = telling(frame)
    encoder = Encoder.fit(rows)
    x, churned = encoder.encode(rows), frame[LABEL].to_numpy(dtype=np.float32)
    fold = deal(frame[ENTITY].to_numpy(dtype=str), churned, params.folds, params.seed)
    progress = checkpoint / _identity(x, churned, fold, params)
    progress.mkdir(parents=True, exist_ok=True)

    fitting = _Fitting(x, churned, fold, params, progress)
    names, logits = fitting.choose()
    latest = (frame["event_timestamp"] == frame["event_timestamp"].max()).to_numpy()
    stack = Stack.fit(logits, churned.astype(np.float64), latest)
    members = {name: fitting.member(name, None) for name in names}
    return ChurnModel(encoder, members, stack, Answers(params.window.horizon_days, params.bands), typical(x))


def telling(frame: pd.DataFrame) -> pd.DataFrame:
    """The feature columns of a training frame that are not the same in every row: what is constant tells nothing."""
    rows = frame[feature_columns(frame, ENTITY, (LABEL,))]
    varied = [name for name in rows if rows[name].nunique(dropna=False) > 1]
    if not varied:
        raise ValueError("features: expected one column at least that differs between customers, got none")
    return rows[varied]


class _Fitting:
    """One training set, its folds, and the members that are kept of it."""

    def __init__(self, x: Floats, churned: Floats, fold: Folds, params: ChurnParams, progress: Path) -> None:
        self._x, self._churned, self._fold, self._params, self._progress = x, churned, fold, params, progress
        self._learners: dict[str, Learn] = {
            "logistic": logistic.fit,
            "forest": forest.fit,
            "boosting": self._capacity().learner(),
            "network": network.fit,
            "shrunk_regression": shrunk_regression,
            **PLAIN,
        }

    def choose(self) -> tuple[list[str], Array]:
        """The names of the members that answer, and their log-odds out of fold: (rows, members).

        After each fold, those that are behind beyond noise are left out.
        """
        truth, seed, names = self._churned.astype(np.float64), self._params.seed, list(self._learners)
        said = {name: np.empty(len(truth)) for name in names}
        for k in range(self._params.folds):
            for name in names:
                said[name][self._fold == k] = self._held_out(name, k)
            seen = self._fold <= k
            so_far = {name: said[name][seen] for name in names}
            names = selection.contenders(so_far, truth[seen], seed, BEYOND)
        names = selection.chosen({name: said[name] for name in names}, truth, seed)
        return names, np.column_stack([said[name] for name in names])

    def member(self, name: str, held: int | None) -> Member:
        """Fitted on all rows, or on those out of one fold; taken from where it was kept, or kept there."""
        kept = f"{name}.{'all' if held is None else held}"
        if not (self._progress / f"{kept}.onnx").exists():
            rows = slice(None) if held is None else self._fold != held
            seed = self._params.seed + (0 if held is None else 1 + held)
            progress = self._progress / f"{kept}.npz"
            self._learners[name](self._x[rows], self._churned[rows], self._params, seed, progress).save(
                self._progress, kept
            )
        return Member.load(self._progress, kept)

    def _held_out(self, name: str, k: int) -> Array:
        """Log-odds of a fold's rows by a member that did not learn from their customers."""
        graph = self.member(name, k).graph
        return np.asarray(session(graph).run(None, {"x": self._x[self._fold == k]})[0][:, 0], dtype=np.float64)

    def _capacity(self) -> Capacity:
        """Of boosting, by the first fold; kept as the members are."""
        kept = self._progress / "capacity.json"
        if not kept.exists():
            found = Capacity.chosen(self._x, self._churned, self._fold == 0, self._params)
            write(kept, json.dumps(found.to_dict()).encode())
        return Capacity(**json.loads(kept.read_text()))


def typical(x: Floats) -> Floats:
    """The median of each column, which a customer's numbers are held against."""
    return np.nanmedian(x, axis=0).astype(np.float32)


def _check(frame: pd.DataFrame, folds: int) -> None:
    for outcome, what in ((0, "stayed"), (1, "left")):
        count = frame.loc[frame[LABEL] == outcome, ENTITY].nunique()
        if count < 2 * folds:
            raise ValueError(f"label '{LABEL}': expected at least {2 * folds} customers who {what}, got {count}")


def _identity(x: Floats, churned: Floats, fold: npt.NDArray[np.intp], params: ChurnParams) -> str:
    """A name that any change of data or parameters changes."""
    seen = hashlib.sha256(params.model_dump_json().encode())
    for array in (np.asarray(x.shape), x, churned, fold):
        seen.update(np.ascontiguousarray(array).tobytes())
    return seen.hexdigest()[:16]

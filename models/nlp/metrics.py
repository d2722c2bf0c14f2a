"""Metrics of labels: per label, per text, of their confidence and of what is out of scope."""

from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation import metrics
from models.evaluation.metrics import Array, Metric, Resample
from models.nlp.examples import LABEL, OUT_OF_SCOPE

Flags = npt.NDArray[np.bool_]


def macro_f1() -> Metric:
    """Mean F1 of the labels that occur; texts out of scope are left out."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        known = _known(truth)
        names, codes = np.unique(truth.loc[known, LABEL].to_numpy(dtype=str), return_inverse=True)
        said = answers.loc[known, LABEL].to_numpy(dtype=str)
        told = np.where(np.isin(said, names), np.searchsorted(names, said), len(names))
        is_one, called = np.eye(len(names))[codes], np.eye(len(names) + 1)[told][:, :-1]
        drawn = weights[:, known]
        hits, true, given = drawn @ (is_one * called), drawn @ is_one, drawn @ called
        f1 = np.divide(2 * hits, true + given, out=np.zeros_like(hits), where=true + given > 0)
        occurs = true > 0
        return np.asarray((f1 * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1), dtype=float)

    return _metric("macro_f1", resample)


def accuracy() -> Metric:
    """Share of right labels; texts out of scope are left out."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        known = _known(truth)
        drawn = weights[:, known]
        right = (truth[LABEL] == answers[LABEL]).to_numpy(dtype=float)[known]
        return np.asarray(drawn @ right / np.maximum(drawn.sum(axis=1), 1), dtype=float)

    return _metric("accuracy", resample)


def ece() -> Metric:
    """Expected calibration error of the confidence that the label is right; texts out of scope are left out."""
    plain = cast(Resample, metrics.ece("right", "confidence").resample)

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        known = _known(truth)
        right = right_labels(truth, answers)[known].to_frame("right")
        return plain(right, answers[known], weights[:, known])

    return _metric("ece", resample, higher_is_better=False, needs="confidence")


def scope_auroc() -> Metric:
    """Probability that a text in scope has a higher `in_scope` than one labelled `oos`; NaN without any."""
    plain = cast(Resample, metrics.auc("known", "in_scope").resample)

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        return plain(pd.DataFrame({"known": _known(truth).astype(float)}), answers, weights)

    return _metric("scope_auroc", resample, needs="in_scope")


def right_labels(truth: pd.DataFrame, answers: pd.DataFrame) -> "pd.Series[float]":
    """1 where the label is right."""
    return (truth[LABEL] == answers[LABEL]).astype(float)


def _known(truth: pd.DataFrame) -> Flags:
    return np.asarray(truth[LABEL] != OUT_OF_SCOPE)


def _metric(name: str, resample: Resample, higher_is_better: bool = True, needs: str = "") -> Metric:
    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(resample(truth, answers, np.ones((1, len(truth))))[0])

    return Metric(name, measure, higher_is_better, resample, answer=needs)


METRICS = (macro_f1(), accuracy(), ece(), scope_auroc())

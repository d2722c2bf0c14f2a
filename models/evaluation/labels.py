"""Metrics of labels, each of the rows whose truth is known, and the gate of their confidence."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation import calibration, metrics
from models.evaluation.gates import Evidence, Gate, Verdict
from models.evaluation.metrics import Array, Metric, Resample

Flags = npt.NDArray[np.bool_]
#: From a frame of truth to whether each row counts.
Known = Callable[[pd.DataFrame], Flags]
#: Calibration error above that of chance that a release may have.
OFF = 0.05


def macro_f1(label: str, known: Known) -> Metric:
    """Mean F1 of the labels that occur."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        here = known(truth)
        names, codes = np.unique(truth.loc[here, label].to_numpy(dtype=str), return_inverse=True)
        said = answers.loc[here, label].to_numpy(dtype=str)
        told = np.where(np.isin(said, names), np.searchsorted(names, said), len(names))
        one = np.eye(len(names) + 1, dtype=np.float32)[:, :-1]  # holds counts of rows as exactly, in half the time
        is_one, called, drawn = one[codes], one[told], weights.astype(np.float32)[:, here]
        hits, true, given = ((drawn @ which).astype(float) for which in (is_one * called, is_one, called))
        f1 = np.divide(2 * hits, true + given, out=np.zeros_like(hits), where=true + given > 0)
        occurs = true > 0
        return np.asarray((f1 * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1), dtype=float)

    return of_samples("macro_f1", resample)


def accuracy(label: str, known: Known) -> Metric:
    """Share of right labels."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        here = known(truth)
        drawn = weights[:, here]
        right = right_labels(label, truth, answers).to_numpy()[here]
        return np.asarray(drawn @ right / np.maximum(drawn.sum(axis=1), 1), dtype=float)

    return of_samples("accuracy", resample)


def ece(label: str, known: Known, confidence: str = "confidence") -> Metric:
    """Expected calibration error of the confidence that the label is right."""
    plain = cast(Resample, metrics.ece("right", confidence).resample)

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        here = known(truth)
        right = right_labels(label, truth, answers)[here].to_frame("right")
        return plain(right, answers[here], weights[:, here])

    return of_samples("ece", resample, higher_is_better=False, needs=confidence)


def calibrated(label: str, known: Known) -> Gate:
    """A gate: the confidence is right as often as it says; its error is at most `OFF` above that expected by chance."""

    def judge(evidence: Evidence) -> Verdict:
        here = known(evidence.truth)
        if not here.any():
            return Verdict("calibrated", True, "no labels are known, so that there is no confidence to judge")
        error = ece(label, known).measure(evidence.truth, evidence.answers)
        chance = calibration.noise(evidence.answers["confidence"].to_numpy(dtype=float)[here], evidence.seed)
        share = float(right_labels(label, evidence.truth, evidence.answers)[here].mean())
        return Verdict(
            "calibrated",
            error - chance <= OFF,
            f"expected calibration error {error:.4f}, of which {chance:.4f} by chance; the rest may be {OFF}; "
            f"{share:.1%} of the labels are right",
            {"ece": error, "noise": chance, "limit": OFF},
        )

    return judge


def right_labels(label: str, truth: pd.DataFrame, answers: pd.DataFrame) -> "pd.Series[float]":
    """1 where the label is right."""
    return (truth[label] == answers[label]).astype(float)


def of_samples(name: str, resample: Resample, higher_is_better: bool = True, needs: str = "") -> Metric:
    """A metric by its figures of samples."""

    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(resample(truth, answers, np.ones((1, len(truth))))[0])

    return Metric(name, measure, higher_is_better, resample, answer=needs)

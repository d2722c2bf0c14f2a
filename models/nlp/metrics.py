"""Metrics of labels: per label, per text, of their confidence and of what is out of scope."""

from typing import cast

import numpy as np
import pandas as pd

from models.evaluation import labels, metrics
from models.evaluation.labels import Flags, of_samples
from models.evaluation.metrics import Array, Metric, Resample
from models.nlp.examples import LABEL, OUT_OF_SCOPE


def macro_f1() -> Metric:
    """Mean F1 of the labels that occur; texts out of scope are left out."""
    return labels.macro_f1(LABEL, in_scope)


def accuracy() -> Metric:
    """Share of right labels; texts out of scope are left out."""
    return labels.accuracy(LABEL, in_scope)


def ece() -> Metric:
    """Expected calibration error of the confidence that the label is right; texts out of scope are left out."""
    return labels.ece(LABEL, in_scope)


def scope_auroc() -> Metric:
    """Probability that a text in scope has a higher `in_scope` than one labelled `oos`; NaN without any."""
    plain = cast(Resample, metrics.auc("known", "in_scope").resample)

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        return plain(pd.DataFrame({"known": in_scope(truth).astype(float)}), answers, weights)

    return of_samples("scope_auroc", resample, needs="in_scope")


def in_scope(truth: pd.DataFrame) -> Flags:
    """Whether a text has one of its task's labels."""
    return np.asarray(truth[LABEL] != OUT_OF_SCOPE)


METRICS = (macro_f1(), accuracy(), ece(), scope_auroc())

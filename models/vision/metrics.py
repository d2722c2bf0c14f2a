"""Metrics of what is told of pictures, each of those pictures that it is told of."""

from typing import cast

import numpy as np
import pandas as pd

from models.evaluation import labels, metrics
from models.evaluation.labels import Flags, of_samples
from models.evaluation.metrics import Array, Metric, Resample
from models.vision.boxes.drawn import BOXES
from models.vision.boxes.precision import ap50
from models.vision.examples import LABEL, RATING


def skill() -> Metric:
    """The mean of macro F1 of the labels, the rank correlation of the ratings and the average precision of the boxes,
    of those that pictures have.

    Ratings that are all the same have a correlation of 0.
    """
    parts = {LABEL: macro_f1(), RATING: spearman(), BOXES: ap50()}

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        given = [cast(Resample, metric.resample) for name, metric in parts.items() if known(name, truth).any()]
        return np.mean([np.nan_to_num(one(truth, answers, weights)) for one in given], axis=0)

    return of_samples("skill", resample)


def macro_f1() -> Metric:
    """Mean F1 of the labels that occur; NaN without any."""
    return _of(LABEL, labels.macro_f1(LABEL, labelled))


def accuracy() -> Metric:
    """Share of right labels; NaN without any."""
    return _of(LABEL, labels.accuracy(LABEL, labelled))


def ece() -> Metric:
    """Expected calibration error of the confidence that the label is right; NaN without any."""
    return _of(LABEL, labels.ece(LABEL, labelled))


def spearman() -> Metric:
    """Correlation of the ranks of ratings; NaN without any."""
    return _of(RATING, metrics.spearman(RATING, RATING))


def mae() -> Metric:
    """Mean absolute error of ratings; NaN without any."""
    return _of(RATING, metrics.mae(RATING, RATING))


def labelled(truth: pd.DataFrame) -> Flags:
    """Whether a picture has a label."""
    return known(LABEL, truth)


def known(name: str, truth: pd.DataFrame) -> Flags:
    """Whether this is told of each picture."""
    return truth[name].notna().to_numpy()


def _of(name: str, metric: Metric) -> Metric:
    """The metric of the pictures that this is told of."""
    plain = cast(Resample, metric.resample)

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        here = known(name, truth)
        return plain(truth[here], answers[here], weights[:, here]) if here.any() else np.full(len(weights), np.nan)

    return of_samples(metric.name, resample, metric.higher_is_better, needs=metric.answer)


METRICS = (skill(), macro_f1(), accuracy(), ece(), spearman(), mae(), ap50())

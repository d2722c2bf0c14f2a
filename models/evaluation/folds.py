"""Stratified folds, for data without time order."""

import numpy as np
import numpy.typing as npt
import pandas as pd


def stratified(label: "pd.Series[float]", folds: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row, 0 to `folds` - 1, assigned in order of the label so that folds have equal distributions."""
    shuffled = np.random.default_rng(seed).permutation(len(label))
    dealt = shuffled[np.argsort(label.to_numpy(dtype=float)[shuffled], kind="stable")]
    fold = np.empty(len(label), dtype=np.int64)
    fold[dealt] = np.arange(len(label)) % folds
    return fold

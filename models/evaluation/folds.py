"""Stratified folds, for data without time order."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_numeric_dtype


def stratified(label: "pd.Series[Any]", folds: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row, 0 to `folds` - 1, assigned in order of the label so that folds have equal distributions."""
    shuffled = np.random.default_rng(seed).permutation(len(label))
    ranked = label.to_numpy(dtype=float) if is_numeric_dtype(label) else pd.factorize(label, sort=True)[0]
    dealt = shuffled[np.argsort(ranked[shuffled], kind="stable")]
    fold = np.empty(len(label), dtype=np.int64)
    fold[dealt] = np.arange(len(label)) % folds
    return fold

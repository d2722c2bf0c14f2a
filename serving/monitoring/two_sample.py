"""Two-sample tests of encoded columns, by scipy (permissive licence)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from serving.monitoring.coding import Matrix

Array = npt.NDArray[np.float64]
#: A fitted test: returns statistic and p-value of each column of a window against the reference.
TwoSample = Callable[[Matrix], tuple[Array, Array]]
#: Fits tests on an encoded reference; `categorical` has the indices of categorical columns.
Fit = Callable[[Matrix, tuple[int, ...]], TwoSample]


def fit(reference: Matrix, categorical: tuple[int, ...]) -> TwoSample:
    """Kolmogorov-Smirnov tests for numeric columns, chi-square for the `categorical` ones."""

    def test(window: Matrix) -> tuple[Array, Array]:
        pairs = [
            (_chi_square if place in categorical else _kolmogorov_smirnov)(reference[:, place], window[:, place])
            for place in range(reference.shape[1])
        ]
        statistics, p_values = zip(*pairs, strict=True)
        return np.array(statistics), np.array(p_values)

    return test


def _kolmogorov_smirnov(reference: Array, window: Array) -> tuple[float, float]:
    from scipy.stats import ks_2samp

    found = ks_2samp(reference, window, method="asymp")
    return float(found.statistic), float(found.pvalue)


def _chi_square(reference: Array, window: Array) -> tuple[float, float]:
    from scipy.stats import chi2_contingency

    categories = np.unique(np.concatenate([reference, window]))
    table = [[np.sum(values == category) for category in categories] for values in (reference, window)]
    found = chi2_contingency(np.array(table))
    return float(found.statistic), float(found.pvalue)

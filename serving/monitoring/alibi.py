"""alibi-detect's tabular detector. Its licence (BSL 1.1) is for non-production use; `two_sample` has the others."""

from serving.monitoring.coding import Matrix
from serving.monitoring.two_sample import Array, TwoSample


def fit(reference: Matrix, categorical: tuple[int, ...]) -> TwoSample:
    """`TabularDrift`: Kolmogorov-Smirnov for the columns that are numbers, chi-square for the `categorical` ones."""
    from alibi_detect.cd import TabularDrift

    detector = TabularDrift(reference, categories_per_feature={place: None for place in categorical})

    def test(window: Matrix) -> tuple[Array, Array]:
        p_values, statistics = detector.feature_score(detector.x_ref, window)
        return statistics, p_values

    return test

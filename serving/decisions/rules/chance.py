"""Exact tests for counts, conservative where counts are small.

Clicks and conversions are taken as Poisson given their exposure (impressions, clicks, spend).
"""

from collections.abc import Sequence

from scipy.special import betainc, gammaincc


def at_most(seen: int, expected: float) -> float:
    """Probability that a Poisson count is at most `seen`, given its expectation."""
    return float(gammaincc(seen + 1, expected)) if expected > 0 else 1.0


def at_least(seen: int, expected: float) -> float:
    """Probability that a Poisson count is at least `seen`, given its expectation."""
    return 1.0 if seen <= 0 else float(1 - gammaincc(seen, max(expected, 0.0)))


def rate_at_most(seen: float, size: float, other: float, other_size: float, ratio: float) -> float:
    """Probability of at most `seen` of `seen + other` events here, if the rate here were `ratio` times the other rate.

    Given the sum, the count here is binomial, so neither rate has to be estimated.
    """
    if min(size, other_size) <= 0 or seen + other == 0:
        return 1.0
    share = ratio * size / (ratio * size + other_size)
    return 1.0 if other == 0 else float(betainc(other, seen + 1, 1 - share))


def rate_at_least(seen: float, size: float, other: float, other_size: float, ratio: float) -> float:
    """As `rate_at_most`, for at least `seen` events."""
    return rate_at_most(other, other_size, seen, size, 1 / ratio)


def pattern(here: Sequence[tuple[int, float]], there: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Test whether rates have the same distribution over cells here and there, whatever their level.

    Args:
        here, there: count and size of each cell, in the same order. Cells with an expectation below five are left out:
            the chi-squared approximation does not hold for them.

    Returns:
        The share of the counts here that deviates from the expectation (0 to 1), and the p-value.
    """
    level = _level(here, there)
    moved = expected_sum = statistic = 0.0
    cells = 0
    for (seen, size), (other, other_size) in zip(here, there, strict=True):
        both, share = seen + other, level * size / (level * size + other_size) if other_size > 0 else 1.0
        expected = both * share
        if min(expected, both - expected) < 5:
            continue
        cells += 1
        moved += abs(seen - expected) / (1 - share)
        expected_sum += expected / (1 - share)
        statistic += (seen - expected) ** 2 / (expected * (1 - share))
    if cells < 2:
        return 0.0, 1.0
    return moved / expected_sum / 2, float(gammaincc((cells - 1) / 2, statistic / 2))


def _level(here: Sequence[tuple[int, float]], there: Sequence[tuple[int, float]]) -> float:
    """The common ratio of the rates here to those there (Mantel and Haenszel)."""
    above = below = 0.0
    for (seen, size), (other, other_size) in zip(here, there, strict=True):
        if size + other_size > 0:
            above += seen * other_size / (size + other_size)
            below += other * size / (size + other_size)
    return above / below if below > 0 else 0.0

"""How likely counts are by chance alone. Exact, and conservative where counts are small.

Clicks and conversions are taken as Poisson in what they come of (impressions, clicks, spend).
"""

from collections.abc import Sequence

from scipy.special import betainc, gammaincc


def at_most(seen: int, expected: float) -> float:
    """Probability that a Poisson count is at most what was seen, if so many are expected."""
    return float(gammaincc(seen + 1, expected)) if expected > 0 else 1.0


def at_least(seen: int, expected: float) -> float:
    """Probability that a Poisson count is at least what was seen."""
    return 1.0 if seen <= 0 else float(1 - gammaincc(seen, max(expected, 0.0)))


def rate_at_most(seen: int, size: float, other: int, other_size: float, ratio: float) -> float:
    """Probability of so few (or fewer) of `seen + other` here, if the rate here were `ratio` times the other's.

    Given the sum of both, the count here is binomial: the comparison needs no estimate of either rate.
    """
    if min(size, other_size) <= 0 or seen + other == 0:
        return 1.0
    share = ratio * size / (ratio * size + other_size)
    return 1.0 if other == 0 else float(betainc(other, seen + 1, 1 - share))


def rate_at_least(seen: int, size: float, other: int, other_size: float, ratio: float) -> float:
    """The same for so many or more."""
    return rate_at_most(other, other_size, seen, size, 1 / ratio)


def pattern(here: Sequence[tuple[int, float]], there: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Whether rates are divided over cells here as they are there, whatever their level.

    Args:
        here, there: count and size of each cell, in one order. Cells where fewer than five would be expected are left
            out: the chi-squared law is no law for them.

    Returns:
        By what share counts here are elsewhere than expected (0 to 1), and the probability of that by chance.
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
    """The common ratio of the rates here to those there (Mantel and Haenszel's)."""
    above = below = 0.0
    for (seen, size), (other, other_size) in zip(here, there, strict=True):
        if size + other_size > 0:
            above += seen * other_size / (size + other_size)
            below += other * size / (size + other_size)
    return above / below if below > 0 else 0.0

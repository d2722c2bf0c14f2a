"""Made-up subscribers whose leaving a plain model may tell best: by deep interactions, along a line, by categories."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Logits = npt.NDArray[np.float64]


def table(kind: str, rows: int, rate: float, seed: int) -> pd.DataFrame:
    """A frame as a family is given it, of which about `rate` leave.

    `kind` is `deep` (cells of four features), `line`, `empty` (deep, among columns that hold nothing or one value), or
    `cities` (two categories of 300 values, each with a rate of its own).
    """
    rng = np.random.default_rng(seed)
    numbers = pd.DataFrame(rng.normal(size=(rows, 10)), columns=[f"n{place}" for place in range(10)])
    frame = numbers.mask(rng.random(numbers.shape) < 0.03)
    logit = numbers.to_numpy() @ rng.normal(0, 0.5, 10) if kind == "line" else _cells(numbers, rng)
    if kind == "empty":
        frame = frame.assign(**{f"nothing{place}": np.nan for place in range(60)})
        frame = frame.assign(**{f"same{place}": 0.0 for place in range(20)})
    if kind == "cities":
        for place in range(2):
            city = rng.integers(0, 300, rows)
            logit = logit + rng.normal(0, 1.2, 300)[city]
            frame[f"city{place}"] = [f"city {number}" for number in city]
    level = _level(logit, rate)
    return frame.assign(
        customer_id=[f"c{number}" for number in range(rows)],
        event_timestamp=pd.Timestamp("2024-01-01"),
        split=rng.choice(["train", "valid", "test"], rows, p=[0.45, 0.15, 0.4]),
        churned=(rng.random(rows) < 1 / (1 + np.exp(-logit - level))).astype(int),
    )


def _cells(numbers: pd.DataFrame, rng: np.random.Generator) -> Logits:
    """Sums of effects, each of those rows that lie on one side of four features' borders."""
    logit = np.zeros(len(numbers))
    for _ in range(15):
        inside = np.ones(len(numbers), dtype=bool)
        for name in rng.choice(numbers.columns, 4, replace=False):
            inside &= (numbers[name] > rng.normal(0, 0.3)).to_numpy() == (rng.random() < 0.5)
        logit += rng.choice([-1, 1]) * rng.uniform(3, 6) * inside
    three = np.sign(numbers[["n0", "n1", "n2"]].to_numpy()).prod(axis=1)
    return np.asarray(logit + 2 * three)


def _level(logit: Logits, rate: float) -> float:
    """What added to `logit` makes the mean chance `rate`."""
    from scipy.optimize import brentq

    return float(brentq(lambda level: (1 / (1 + np.exp(-logit - level))).mean() - rate, -40, 40))

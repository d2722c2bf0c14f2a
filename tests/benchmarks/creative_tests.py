"""Simulated tests of headlines: base rates, numbers of arms and effects as in the real tests of Upworthy.

Effects are drawn from what the tests say of each headline, shrunken by their noise; predictions are those of a text
model that has not seen the test. A bandit shows headlines in growing batches until one is the best with some
probability; a fixed-horizon test shows all equally often, then takes the one with most clicks.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.text.embedding import embed
from serving.decisions.kinds.creative import UNKNOWN
from serving.decisions.rules.bandit import at_least, best, posterior, top_two
from tests.benchmarks.creative_upworthy import DATA

SEED, FOLDS, TESTS = 23, 5, 2_000
#: The most impressions of a test, the share of the impressions so far of a batch, and the least of one.
MOST, BATCH, LEAST = 200_000, 0.1, 200
FLOOR = 0.05
#: Headlines within this share of the best count as the best.
EQUAL = 0.02
#: Probabilities to stop at, sizes of fixed-horizon tests, and the error at which impressions are compared.
SURES = (0.7, 0.8, 0.87, 0.93, 0.97)
SIZES = tuple(int(size) for size in np.geomspace(5_000, 1_000_000, 16))
ERROR = 0.1

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One simulated test.

    Attributes:
        rates: true click rates of the arms.
        mean, strength: of each arm's predicted prior.
    """

    rates: Array
    mean: Array
    strength: Array


def read() -> pd.DataFrame:
    """The real tests. Raises `FileNotFoundError`."""
    if not DATA.is_file():
        raise FileNotFoundError(f"no such file: {DATA.parent.name}/{DATA.name}")
    return pd.read_parquet(DATA)


def about() -> dict[str, Any]:
    """Seed and hash of the data, for the rows."""
    return {"seed": SEED, "data_hash": hashlib.sha256(DATA.read_bytes()).hexdigest()}


def trials(data: pd.DataFrame) -> list[Trial]:
    """Simulated tests of some of the real ones."""
    test = pd.factorize(data["clickability_test_id"])[0]
    shown, clicks = data["impressions"].to_numpy(float), data["clicks"].to_numpy(float)
    odds, noise = np.log((clicks + 0.5) / (shown - clicks + 0.5)), 1 / (clicks + 0.5) + 1 / (shown - clicks + 0.5)
    base = np.log((np.bincount(test, clicks) + 0.5) / (np.bincount(test, shown - clicks) + 0.5))
    effect = centred(odds, test, 1 / noise)
    told = predicted(data["headline"], test, effect, noise)
    size = np.bincount(test)[test]
    left = np.average((effect - told) ** 2 - noise * (1 - 1 / size), weights=1 / noise)
    left = max(1e-4, left / np.average(1 - 1 / size, weights=1 / noise))
    rng = np.random.default_rng(SEED)
    known = told + left / (left + noise) * (effect - told)
    true = known + np.sqrt(left * noise / (left + noise)) * rng.standard_normal(len(data))
    rate, mean = (1 / (1 + np.exp(-(base[test] + one))) for one in (true, told))
    drawn = rng.permutation(test.max() + 1)[:TESTS]
    return [Trial(rate[test == one], mean[test == one], 1 / (left * mean[test == one])) for one in drawn]


def predicted(texts: pd.Series, test: Any, effect: Array, noise: Array) -> Array:
    """Effects predicted by a ridge regression on the sentence embeddings, out of fold, scaled to be calibrated."""
    x = embed(texts.tolist()).astype(np.float64)
    weight = 1 / (noise + effect.var())
    inner = np.column_stack([centred(column, test, weight) for column in x.T])
    fold, found = np.random.default_rng(SEED).integers(0, FOLDS, test.max() + 1)[test], np.zeros(len(x))
    for held in range(FOLDS):
        rows = fold != held
        gram = (inner[rows] * weight[rows, None]).T @ inner[rows] + 30 * np.eye(x.shape[1])
        found[~rows] = x[~rows] @ np.linalg.solve(gram, (inner[rows] * weight[rows, None]).T @ effect[rows])
    found = centred(found, test, weight)
    return found * max(0.0, float((weight * found * effect).sum() / (weight * found**2).sum()))


def centred(values: Array, test: Any, weight: Array) -> Array:
    """Values less the weighted mean of their test."""
    return np.asarray(values - (np.bincount(test, weight * values) / np.bincount(test, weight))[test])


def unknown(trial: Trial) -> Trial:
    """The same test with the priors of creatives without a prediction."""
    mean, strength = UNKNOWN["ctr"]
    return Trial(trial.rates, np.full(len(trial.rates), mean), np.full(len(trial.rates), strength))


def alike(trial: Trial) -> Trial:
    """The same test with priors as strong, and equal means."""
    return Trial(trial.rates, np.full(len(trial.rates), trial.mean.mean()), trial.strength)


def bandit(trial: Trial, sure: float, rng: np.random.Generator) -> tuple[int, int]:
    """Impressions until an arm is the best with this probability, and that arm: top-two Thompson sampling."""
    clicks, shown, used = np.zeros(len(trial.rates), int), np.zeros(len(trial.rates), int), 0
    while True:
        state = zip(trial.mean.tolist(), trial.strength.tolist(), clicks.tolist(), shown.tolist(), strict=True)
        shares = best(tuple(posterior(*arm) for arm in state))
        if max(shares) >= sure or used >= MOST:
            return used, int(np.argmax(shares))
        batch = rng.multinomial(max(LEAST, int(BATCH * used)), at_least(top_two(shares), FLOOR))
        clicks, shown, used = clicks + rng.binomial(batch, trial.rates), shown + batch, used + int(batch.sum())


def course(made: Sequence[Trial]) -> tuple[Array, Array]:
    """Impressions, and whether an arm clearly below the best was taken, (tests, probabilities to stop at)."""
    rng = np.random.default_rng(SEED)
    ends = [[bandit(one, sure, rng) for sure in SURES] for one in made]
    used = np.array([[impressions for impressions, _ in row] for row in ends], dtype=np.float64)
    wrong = [[below(one.rates, arm) for _, arm in row] for one, row in zip(made, ends, strict=True)]
    return used, np.array(wrong, dtype=np.float64)


def fixed(made: Sequence[Trial], repeats: int = 4) -> tuple[Array, Array]:
    """The same for fixed-horizon tests of each size; shares of repeats."""
    rng = np.random.default_rng(SEED)

    def wrong(one: Trial, size: int) -> float:
        clicks = rng.binomial(size // len(one.rates), one.rates, (repeats, len(one.rates)))
        return float(np.mean([below(one.rates, arm) for arm in clicks.argmax(axis=1).tolist()]))

    used = np.tile(np.array(SIZES, dtype=np.float64), (len(made), 1))
    return used, np.array([[wrong(one, size) for size in SIZES] for one in made])


def below(rates: Array, arm: int) -> bool:
    return bool(rates[arm] < (1 - EQUAL) * rates.max())


def ratio(ours: tuple[Array, Array], theirs: tuple[Array, Array]) -> dict[str, float]:
    """Impressions of ours over theirs at equal error, with a 95% bootstrap interval over the tests."""
    count = len(ours[0])
    rng = np.random.default_rng(SEED)
    weights = [np.ones(count), *rng.multinomial(count, np.full(count, 1 / count), 500).astype(np.float64)]
    found = [needed(*ours, weight) / needed(*theirs, weight) for weight in weights]
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return {"value": found[0], "low": float(low), "high": float(high)}


def needed(used: Array, wrong: Array, weight: Array) -> float:
    """Mean impressions that bring the error `ERROR`, between the measured ones: straight in the logarithm."""
    share = np.minimum.accumulate(weight @ wrong / weight.sum())
    return float(np.exp(np.interp(ERROR, share[::-1], np.log(weight @ used / weight.sum())[::-1])))

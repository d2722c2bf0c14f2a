"""The effect claimed for declared winners over their true effect: corrected for the winner's curse, and as measured."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from features.settings import Settings
from serving.experiments.trials.winners_curse import learnt
from tests.benchmarks.rows import spread

#: Accounts, each of this many tests with true effects of this spread and this standard error.
ACCOUNTS, TESTS, SPREAD, ERROR, SEED = 100, 500, 0.01, 0.01, 0


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """One row: the median over accounts; its baseline is uncorrected."""
    rng = np.random.default_rng(SEED)
    found = np.array([_account(rng) for _ in range(ACCOUNTS)])
    value, low, high = spread(found[:, 0])
    yield {
        "name": "creative.winners_curse",
        "value": value,
        "low": low,
        "high": high,
        "baseline": float(np.median(found[:, 1])),
        "goal": ">= .9, <= 1.1",
        "unit": f"claimed over true effect of winners, median and deciles of {ACCOUNTS} accounts of {TESTS} tests",
        "seed": SEED,
    }


def _account(rng: np.random.Generator) -> tuple[float, float]:
    truth = rng.normal(0, SPREAD, TESTS)
    seen = truth + rng.normal(0, ERROR, TESTS)
    account, won = learnt(list(seen), [ERROR] * TESTS), seen > 1.96 * ERROR
    claimed = sum(account.correct(effect, ERROR).value for effect in seen[won])
    return claimed / truth[won].sum(), seen[won].sum() / truth[won].sum()

"""The click rate of the headline that is chosen among the variants of a test, over the mean of its variants, on
Upworthy's tests (Matias et al., "The Upworthy Research Archive", 2021).

Whole stories are held out, as in `creative_upworthy`. Chosen is what `TextEffects` expects most of: it ranks texts that
were never shown, learnt from texts that were shown side by side. Each test counts alike.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from models.text.effects import fit
from models.text.surface import surface
from tests.benchmarks.creative_upworthy import DATA, FOLDS, SAMPLES, SEED, stories

NAMES = ("nlp.generation.best_of_n", "nlp.generation.best_of_n.longest", "nlp.generation.best_of_n.possible")


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The ratio with its interval by story; beside it the longest headline, and the best that was possible."""
    if not DATA.is_file():
        yield from ({"name": name, "absent": f"{DATA.name} is not there"} for name in NAMES)
        return
    shown = pd.read_parquet(DATA)
    shown["story"] = stories(shown)
    shown["rate"] = shown["clicks"] / shown["impressions"]
    shown["expected"] = _expected(shown)
    shown["length"] = surface(shown["headline"].tolist())[:, 1]
    told = {
        "baseline": 1.0,
        "unit": "times the mean click rate of a test's variants, whose one is chosen; bootstrap by story",
        "seed": SEED,
        "data_hash": hashlib.sha256(DATA.read_bytes()).hexdigest(),
    }
    by = {"": "expected", ".longest": "length", ".possible": "rate"}
    for name, column in by.items():
        goal = {"goal": "> 1"} if not name else {}
        yield {"name": f"nlp.generation.best_of_n{name}", **_lift(shown, column), **goal, **told}


def _expected(shown: pd.DataFrame) -> "pd.Series[float]":
    """The effect of each headline, learnt from other stories."""
    every = np.unique(shown["story"])
    fold = (np.random.default_rng(SEED).permutation(len(every)) % FOLDS)[shown["story"]]
    day = (shown["test_week"] // 100 * 365.25 + shown["test_week"] % 100 * 7).to_numpy()
    expected = pd.Series(0.0, index=shown.index)
    for held in range(FOLDS):
        seen = shown[fold != held]
        effects = fit(
            seen["headline"].tolist(),
            seen["clickability_test_id"].tolist(),
            seen["impressions"],
            seen["clicks"],
            pictures=seen["eyecatcher_id"].tolist(),
            days=day[fold != held],
            seed=SEED,
        )
        expected[fold == held] = effects.score(shown.loc[fold == held, "headline"].tolist())
    return expected


def _lift(shown: pd.DataFrame, by: str) -> dict[str, float]:
    """The mean over tests of the chosen variant's rate over the variants' mean, with its 95% interval by story."""
    tests = shown.groupby("clickability_test_id")
    chosen = shown.loc[tests[by].idxmax()].set_index("clickability_test_id")
    mean = tests["rate"].mean()
    several = (tests["headline"].nunique() > 1) & (mean > 0)
    lift = (chosen["rate"] / mean)[several]
    table = (
        pd.DataFrame({"lift": lift, "story": chosen["story"][several]}).groupby("story")["lift"].agg(["sum", "size"])
    )
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(table), (SAMPLES, len(table)))
    sums, sizes = (table[name].to_numpy()[drawn].sum(axis=1) for name in ("sum", "size"))
    low, high = np.quantile(sums / sizes, [0.025, 0.975])
    return {"value": float(lift.mean()), "low": float(low), "high": float(high)}

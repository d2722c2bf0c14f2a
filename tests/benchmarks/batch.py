"""How fast the released models score a million customers, beside plain boosters on the same rows in the same run."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from models.bundle import Bundle
from models.tabular import Encoder
from tests.benchmarks.champion import champion
from tests.benchmarks.rows import spread

ROWS, CHUNK, SEED = 1_000_000, 100_000, 11
UNIT = "rows/s, 1 million rows in chunks of 100,000; interval: 10-90% quantiles of the chunks"
#: The plain booster beside each family's model: 200 trees on the same encoded columns.
PLAIN = {"churn": "xgboost", "ltv": "lightgbm"}


def rows(settings: Settings) -> list[dict[str, Any]]:
    """A row a family, and one for scoring each customer with all of them."""
    measured, plain, hashes = {}, {}, {}
    for family, library in PLAIN.items():
        with champion(family, settings) as (bundle, _):
            measured[family], plain[family] = score(bundle, library)
            hashes[family] = bundle.manifest.data_hash
    result = [_row(f"batch.{name}.rows_per_s", measured[name], plain[name], hashes[name], f"plain {PLAIN[name]}")
              for name in PLAIN]  # fmt: skip
    both = "both models a customer, plain xgboost and lightgbm"
    seconds, others = (sum(np.asarray(times) for times in kind.values()) for kind in (measured, plain))
    return [_row("batch.rows_per_s", seconds, others, hashes["churn"], both), *result]


def score(bundle: Bundle, library: str) -> tuple[list[float], list[float]]:
    """Seconds a chunk: the model's `predict` on raw feature rows, and a plain booster's on a ready matrix."""
    reference = bundle.reference()
    features = reference[list(bundle.manifest.columns)]
    encoder = Encoder.fit(features)
    booster = plain(library, encoder.encode(features), target(reference, features))
    model, places = [], np.random.default_rng(SEED)
    beside = []
    bundle.model.predict(features.head(100))
    for _ in range(ROWS // CHUNK):
        chunk = features.iloc[places.integers(0, len(features), CHUNK)].reset_index(drop=True)
        matrix = encoder.encode(chunk)
        model.append(timed(bundle.model.predict, chunk))
        beside.append(timed(booster, matrix))
    return model, beside


def plain(library: str, matrix: np.ndarray, answers: np.ndarray, threads: int = 0) -> Callable[[np.ndarray], Any]:
    """`predict` of a booster of 200 trees, straight from its library, with its own number of threads for 0."""
    if library == "xgboost":
        import xgboost

        booster = xgboost.train(
            {"max_depth": 6, "seed": SEED, "nthread": threads}, xgboost.DMatrix(matrix, answers), num_boost_round=200
        )
        return booster.inplace_predict
    import lightgbm

    fitted = lightgbm.train(
        {"num_leaves": 31, "seed": SEED, "verbosity": -1, "min_data_in_leaf": 5, "num_threads": threads},
        lightgbm.Dataset(matrix, answers),
        200,
    )
    return fitted.predict


def timed(predict: Callable[[Any], Any], rows: Any) -> float:
    """Seconds of one call."""
    begun = perf_counter()
    predict(rows)
    return perf_counter() - begun


def target(reference: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """The model's own first number, to give the plain trees something of the same shape to learn."""
    answers = reference.drop(columns=features.columns).select_dtypes("number")
    return answers.iloc[:, 0].to_numpy(dtype=np.float32)


def _row(name: str, seconds: Any, baseline: Any, data_hash: str, beside: str) -> dict[str, Any]:
    _, low, high = spread(CHUNK / np.asarray(seconds))
    return {
        "name": name,
        "value": ROWS / float(np.sum(seconds)),
        "low": low,
        "high": high,
        "baseline": ROWS / float(np.sum(baseline)),
        "unit": f"{UNIT}; baseline: {beside}",
        "seed": SEED,
        "data_hash": data_hash,
    }

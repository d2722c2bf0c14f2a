"""Intents of Banking77 with all examples, and with ten of each."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from features.settings import Settings
from models.nlp.metrics import accuracy
from tests.benchmarks.nlp_compare import compare
from tests.benchmarks.nlp_texts import BANKING, banking, digest, few

SHOTS, SEEDS = 10, (0, 1, 2)
NAMES = ("accuracy", "accuracy_10shot")


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Accuracy on the test questions."""
    if not BANKING.is_dir():
        yield from ({"name": f"nlp.banking77.{name}", "absent": f"{BANKING.name} is not there"} for name in NAMES)
        return
    every, told = banking(), {"data_hash": digest(BANKING / "train.csv", BANKING / "test.csv")}
    whole = compare(every, ("tfidf_logistic", "frozen_encoder"))
    yield whole.row("nlp.banking77.accuracy", accuracy(), ">= .940", "frozen_encoder", **told)
    shots = [compare(few(every, SHOTS, seed), ("frozen_encoder",), epochs=20) for seed in SEEDS]
    right = np.array([[accuracy().measure(one.truth, said) for said in one.answers.values()] for one in shots])
    yield {
        "name": "nlp.banking77.accuracy_10shot",
        "value": right[:, 0].mean(),
        "low": right[:, 0].min(),
        "high": right[:, 0].max(),
        "baseline": right[:, 1].mean(),
        "goal": ">= .88",
        "unit": f"mean and range of {len(SEEDS)} draws; the frozen encoder beside it",
        **told,
    }

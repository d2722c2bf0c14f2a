"""Telling questions of 19 intents of Banking77, none of which was learnt, from those of the other 58."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from features.settings import Settings
from models.nlp.examples import LABEL
from models.nlp.metrics import scope_auroc
from tests.benchmarks.nlp_compare import SEED, compare
from tests.benchmarks.nlp_texts import BANKING, banking, digest, left_out

LEFT_OUT = 19


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Area under the ROC curve of `in_scope` over the test questions."""
    name = "nlp.oos.auroc"
    if not BANKING.is_dir():
        yield {"name": name, "absent": f"{BANKING.name} is not there"}
        return
    every = banking()
    away = np.random.default_rng(SEED).permutation(sorted(set(every[LABEL])))[:LEFT_OUT]
    found = compare(left_out(every, list(away)), ("frozen_encoder",), epochs=5)
    data_hash = digest(BANKING / "train.csv", BANKING / "test.csv")
    yield found.row(name, scope_auroc(), ">= .95", "frozen_encoder", data_hash=data_hash)

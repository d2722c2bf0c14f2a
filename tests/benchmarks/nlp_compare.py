"""Fits the family and its baselines on one set of texts, and tells a figure of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from components.params import load
from models.evaluation import bootstrap
from models.evaluation.metrics import Metric
from models.nlp import FAMILY
from models.nlp.examples import LABEL
from models.nlp.params import NlpParams
from tests.benchmarks.nlp_texts import answered, parts

SEED = 0
#: The full setting; `make run` has a quick one.
FULL = {"max_examples": 50_000, "layers": 3, "epochs": 8, "minutes": 60.0}
#: Texts answered alone to tell the latency.
TIMED = 200


@dataclass(frozen=True)
class Compared:
    """The truth of the test texts, the answers of each model, and size and latency of the family's."""

    truth: pd.DataFrame
    answers: Mapping[str, pd.DataFrame]
    mebibytes: float
    p50_ms: float

    def row(self, name: str, metric: Metric, goal: str, baseline: str, **told: Any) -> dict[str, Any]:
        """A benchmark row of the family's model with its interval, and every other model's figure in its unit."""
        found = bootstrap.interval(metric, self.truth, self.answers[FAMILY.name], SEED)
        others = {one: metric.measure(self.truth, said) for one, said in self.answers.items() if one != FAMILY.name}
        beside = ", ".join(f"{one} {value:.4f}" for one, value in others.items())
        unit = f"{self.mebibytes:.0f} MiB, {self.p50_ms:.1f} ms a text; {beside}"
        figures = {"value": found.value, "low": found.low, "high": found.high, "baseline": others[baseline]}
        return {"name": name, **figures, "goal": goal, "unit": unit, "seed": SEED, **told}


def compare(rows: pd.DataFrame, baselines: tuple[str, ...], **changed: Any) -> Compared:
    """Fit the family at the full setting, or as `changed`, and those of its baselines that are named."""
    params = NlpParams.read({**load(Path("params.yaml")).section(FAMILY.name), "seed": SEED, **FULL, **changed})
    train, valid, test = parts(rows, params)
    answers, size, slow = {}, 0.0, 0.0
    for name, fit in {FAMILY.name: FAMILY.fit, **{one: FAMILY.baselines[one] for one in baselines}}.items():
        with TemporaryDirectory() as folder:
            model: Any = fit(train, valid, params, Path(folder) / "checkpoint")
            answers[name] = answered(model, test)
            if name == FAMILY.name:
                model.save(Path(folder) / "model")
                size = sum(file.stat().st_size for file in (Path(folder) / "model").iterdir()) / 2**20
                slow = _latency(model, test)
    return Compared(test[[LABEL]], answers, size, slow)


def _latency(model: Any, test: pd.DataFrame) -> float:
    """Median milliseconds of one text alone."""
    took = []
    for place in range(min(TIMED, len(test))):
        began = perf_counter()
        answered(model, test.iloc[[place]])
        took.append(1000 * (perf_counter() - began))
    return float(np.median(took))

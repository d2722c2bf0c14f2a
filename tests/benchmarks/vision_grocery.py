"""Products on photographs of a grocer's shelves: 81 classes, of the Grocery Store dataset (Klasson et al., 2019).

All was chosen on a part of the photographs to learn from.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from components.params import load
from features.settings import Settings
from models.evaluation.bootstrap import interval
from models.image.backbone import embed
from models.logistic import LogisticHead
from models.vision import FAMILY
from models.vision.examples import LABEL, RATING, examples_of
from models.vision.metrics import accuracy
from models.vision.params import VisionParams
from models.vision.reading import URI, pictures

DATA = Path(__file__).parents[2].parent / "shared/data/grocery_store"
NAME, SEED = "vision.grocery.accuracy", 0
#: The full setting; `make run` has a quick one.
FULL = {"side": 288, "blocks": 5, "epochs": 8, "variants": 4, "minutes": 60.0}
#: How much better than a linear head on the frozen backbone it should be.
ABOVE = 0.05
#: Reached by others on the whole dataset.
PUBLISHED = "86.0% is published with four times as many photographs to learn from"


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Accuracy on the test photographs, beside linear heads on the frozen backbone."""
    if not DATA.is_dir():
        yield {"name": NAME, "absent": f"{DATA.name} is not there"}
        return
    params = VisionParams.read({**load(Path("params.yaml")).section(FAMILY.name), "seed": SEED, **FULL})
    told = pd.read_csv(DATA / "labels.csv", dtype=str)
    told = told.assign(uri=[(DATA / "images" / file).as_uri() for file in told["file"]], label=told["fine"])
    with patch.dict(os.environ, ADLOOP_IMAGES=str(DATA)), TemporaryDirectory() as folder:
        examples = examples_of(told[told["split"] == "train"], params)
        test = told[told["split"] == "test"].assign(**{RATING: np.nan})
        # What an experimenter tunes on is drawn by the family; nothing is judged on it.
        train, valid = (examples[(examples["split"] == "valid") == held] for held in (False, True))
        answers = {
            FAMILY.name: _answers(FAMILY.fit, train, valid, test, params, Path(folder) / "tuned"),
            "frozen": _answers(FAMILY.baselines["frozen_linear"], train, valid, test, params, Path(folder) / "frozen"),
            "plain": _plain(train, valid, test),
        }
    metric, truth = accuracy(), test[[LABEL, RATING]]
    found, plain = interval(metric, truth, answers[FAMILY.name], SEED), metric.measure(truth, answers["plain"])
    frozen = metric.measure(truth, answers["frozen"])
    better = max(plain, frozen)
    yield {
        "name": NAME,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "baseline": better,
        "goal": f">= {better + ABOVE:.4f}",
        "unit": (
            f"of {len(test)} photographs, learnt from {len(examples)}; linear on the frozen backbone: {plain:.4f} as "
            f"it is, {frozen:.4f} larger and with texture; {PUBLISHED}"
        ),
        "seed": SEED,
        "data_hash": hashlib.sha256((DATA / "labels.csv").read_bytes()).hexdigest(),
    }


def _answers(
    fit: Any, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: VisionParams, folder: Path
) -> pd.DataFrame:
    model: Any = fit(train.reset_index(drop=True), valid.reset_index(drop=True), params, folder)
    answers: pd.DataFrame = model.predict(test)
    return answers


def _plain(train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Logistic regression on the backbone's embeddings, the usual way to learn from few photographs."""
    x = [embed([one for one in pictures(part[URI]) if one is not None]) for part in (train, valid, test)]
    labels = [part[LABEL].to_numpy(dtype=str) for part in (train, valid)]
    _, recipe = LogisticHead.chosen((x[0], labels[0]), (x[1], labels[1]), (slice(None),), SEED)
    head = LogisticHead.fit(np.vstack(x[:2]), np.concatenate(labels), recipe, SEED)
    said = np.array(head.labels, dtype=object)[head.logits(x[2]).argmax(axis=1)]
    return pd.DataFrame({LABEL: said, "confidence": 1.0}, index=test.index)

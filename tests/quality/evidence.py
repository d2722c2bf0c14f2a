"""What the gates of a family judge, of a model that is fitted for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from components.frame import Frame
from models.evaluation.gates import Evidence
from models.family import Family, FamilyParams

Splits = Mapping[str, pd.DataFrame]


def splits(frame: Frame) -> dict[str, pd.DataFrame]:
    return {name: frame.split(name) for name in ("train", "valid", "test")}


def unanswered(family: Family, rows: Splits, features: Sequence[str], seed: int) -> Evidence:
    """Evidence without a model, for gates that look at what is learnt from alone: truths stand for answers."""
    test = rows["test"]
    truth = test[list(family.label)]
    return Evidence(test[list(features)], truth, truth, {}, None, rows["train"], family.metrics[0], (), seed)


def gather(
    family: Family,
    rows: Splits,
    features: Sequence[str],
    params: FamilyParams,
    folder: Path,
    baselines: Sequence[str] = (),
    sensitive: tuple[str, ...] = (),
) -> Evidence:
    """Fit the family, and those of its baselines that are named, and answer the test rows."""
    train, valid, test = rows["train"], rows["valid"], rows["test"]
    plain = {name: family.baselines[name](train, valid, params, folder) for name in baselines}
    return Evidence(
        rows=test[list(features)],
        truth=test[list(family.label)],
        answers=family.fit(train, valid, params, folder / "checkpoint").predict(test),
        baselines={name: model.predict(test) for name, model in plain.items()},
        champion=None,
        train=train,
        metric=family.metrics[0],
        sensitive=sensitive,
        seed=params.seed,
    )

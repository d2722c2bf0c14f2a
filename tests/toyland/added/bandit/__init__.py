"""A bandit over candidates: which one to show a visitor, by a ridge regression of the reward for each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from features.tables import Tables
from models.evaluation import gates
from models.evaluation.metrics import Array, Metric
from models.evaluation.policy_value import SNIPS
from models.family import Family, FamilyParams
from models.inputs import candidates, vectors

SIZE, NAMES = 4, ("dawn", "noon", "dusk", "night", "rain")


class BanditParams(FamilyParams):
    """`rounds` of the log that is learnt from; `ridge` on the weights."""

    rounds: int
    ridge: float


def examples(tables: Tables, params: BanditParams, as_of: str | None, cutoff: str | None) -> pd.DataFrame:
    """A log of a policy that showed one of three candidates at random."""
    rng = np.random.default_rng(params.seed)
    visitor, liked = rng.normal(size=(params.rounds, SIZE)), 2 * np.random.default_rng(1).normal(size=(5, SIZE))
    offered = np.argsort(rng.random((params.rounds, len(NAMES))), axis=1)[:, :3]
    shown = offered[:, 0]
    chance = 1 / (1 + np.exp(-(visitor * liked[shown]).sum(axis=1)))
    names = np.array(NAMES, dtype=object)
    return pd.DataFrame(
        {
            "split": np.resize(["train", "valid", "test"], params.rounds),
            "visitor": list(visitor),
            "candidates": [sorted(row) for row in names[offered].tolist()],
            "shown": names[shown],
            "propensity": 1 / 3,
            "reward": (rng.random(params.rounds) < chance).astype(float),
        }
    )


@dataclass(frozen=True)
class Bandit:
    """Shows the candidate of the highest expected reward; of those it has not learnt, the first."""

    weights: Mapping[str, list[float]]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`action`, empty where there is none to choose, and the `propensity` it was chosen with."""
        visitor = np.nan_to_num(vectors(rows, "visitor", SIZE))
        chosen = [self._best(one, names) for one, names in zip(visitor, candidates(rows, "candidates"), strict=True)]
        return pd.DataFrame({"action": chosen, "propensity": 1.0}, index=rows.index)

    def _best(self, visitor: np.ndarray, names: list[str]) -> str:
        return max(names, key=lambda name: float(visitor @ self.weights.get(name, [0.0] * SIZE)), default="")

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bandit.json").write_text(json.dumps(self.weights))


def load(folder: Path) -> Bandit:
    return Bandit(json.loads((folder / "bandit.json").read_text()))


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: BanditParams, checkpoint: Path) -> Bandit:
    weights = {}
    for name, rows in train.groupby("shown"):
        x, y = np.array(rows["visitor"].tolist()), rows["reward"].to_numpy() - 0.5
        weights[str(name)] = np.linalg.solve(x.T @ x + params.ridge * np.eye(SIZE), x.T @ y).tolist()
    return Bandit(weights)


def first(train: pd.DataFrame, valid: pd.DataFrame, params: BanditParams, checkpoint: Path) -> Bandit:
    """The naive baseline: always the first candidate."""
    return Bandit({})


def _policy(truth: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    agrees = answers["action"].to_numpy() == truth["shown"].to_numpy()
    return pd.DataFrame({"probability": agrees * answers["propensity"].to_numpy()}, index=truth.index)


def _resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
    assert SNIPS.resample is not None
    return SNIPS.resample(truth, _policy(truth, answers), weights)


def embed(offered: "pd.Series[list[str]]") -> np.ndarray:
    """A candidate counts in one of sixteen columns."""
    found = np.zeros((len(offered), 16))
    for row, names in enumerate(offered):
        for name in names:
            found[row, crc32(name.encode()) % 16] += 1
    return found


FAMILY = Family(
    name="bandit",
    entity=None,
    feature_service=None,
    label=("shown", "propensity", "reward"),
    examples=examples,
    params=BanditParams,
    fit=fit,
    load=load,
    baselines={"first": first},
    metrics=(Metric("reward", lambda truth, made: SNIPS.measure(truth, _policy(truth, made)), resample=_resample),),
    gates=(gates.beats_naive, gates.not_beaten_by_baselines, gates.not_worse_than_champion, gates.no_leak),
    context=("visitor", "candidates"),
    kinds={"visitor": "vector", "candidates": "candidates"},
    embed={"candidates": embed},
    outcomes=("reward",),
    intended_use="Showing that a family may choose among candidates.",
    limits="A made-up log.",
)

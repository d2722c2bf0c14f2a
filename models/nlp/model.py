"""The classifier of texts: one encoder, and for each task a head and the scope of its labels."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from models.inputs import texts
from models.logistic import Labels, LogisticHead
from models.nlp.aspects import about
from models.nlp.cleaning import clean, key
from models.nlp.encoder import TunedEncoder
from models.nlp.features import FROZEN, Array, features, vectors
from models.nlp.scope import Scope

ANSWERS = ("label", "confidence", "score", "in_scope")
#: Labels whose probabilities make a score from -1 to 1.
POSITIVE, NEGATIVE = "positive", "negative"


@dataclass(frozen=True)
class LearntTask:
    """What is learnt of one task: its head, the shares of its labels, and its scope; None where all is in scope."""

    head: LogisticHead
    shares: Array
    scope: Scope | None

    def answer(self, x: Array, worded: np.ndarray) -> pd.DataFrame:
        """Answers by the texts' features. One without a word has the shares of the labels, and is out of scope."""
        chances = self.head.probabilities(x)
        chances[~worded] = self.shares
        inside = np.ones(len(x)) if self.scope is None else self.scope.inside(vectors(x), tuned_logits(x, self.head))
        best = chances.argmax(axis=1)
        return pd.DataFrame(
            {
                "label": np.array(self.head.labels, dtype=object)[best],
                "confidence": chances[np.arange(len(x)), best],
                "score": self._side(chances),
                "in_scope": np.where(worded, inside, 0.0),
            }
        )

    @property
    def rated(self) -> bool:
        """Whether its labels are sentiments."""
        return {POSITIVE, NEGATIVE} <= set(self.head.labels)

    def _side(self, chances: np.ndarray) -> np.ndarray:
        if not self.rated:
            return np.zeros(len(chances))
        labels = self.head.labels
        side: np.ndarray = chances[:, labels.index(POSITIVE)] - chances[:, labels.index(NEGATIVE)]
        return side


@dataclass(frozen=True)
class TextClassifier:
    """The tasks by name, on one encoder. A row that names no task is answered by the first.

    Attributes:
        tuned: the encoder's last `layers` layers, fine-tuned; None where it is frozen.
    """

    tasks: Mapping[str, LearntTask]
    tuned: TunedEncoder | None = None
    layers: int = 1

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`label`, its calibrated probability `confidence`, `score` (sentiment from -1 to 1, else 0), and `in_scope`,
        the probability that the text belongs to any known label.

        For a task that was not learnt the label is empty, with a confidence of 0. Raises `InvalidRows`.
        """
        told = zip(texts(rows, "text"), texts(rows, "aspect"), strict=True)
        said = [about(clean(text or ""), aspect) for text, aspect in told]
        asked = [task or next(iter(self.tasks)) for task in texts(rows, "task")]
        once = {text: place for place, text in enumerate(dict.fromkeys(said))}
        x, worded = features(list(once), self.tuned, self.layers), np.array([bool(key(text)) for text in once])
        answers = pd.DataFrame({"label": "", "confidence": 0.0, "score": 0.0, "in_scope": 0.0}, index=range(len(said)))
        for name, task in self.tasks.items():
            here = np.flatnonzero([one == name for one in asked])
            if len(here):
                place = [once[said[row]] for row in here]
                answers.iloc[here] = task.answer(x[place], worded[place]).to_numpy()
        kinds = {"confidence": float, "score": float, "in_scope": float}
        return answers.astype(kinds).set_index(rows.index)

    def save(self, folder: Path) -> None:
        """Write `tasks.json`, `weights.safetensors` and, where layers are tuned, `tuned.onnx`."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        about: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for place, (name, task) in enumerate(self.tasks.items()):
            curve = None if task.scope is None else [task.scope.nearness, task.scope.level, task.scope.energy]
            about.append({"task": name, "labels": list(task.head.labels), "scope": curve})
            arrays |= {
                f"{place}.weight": task.head.weight,
                f"{place}.bias": task.head.bias,
                f"{place}.shares": task.shares,
            }
            if task.scope is not None:
                arrays[f"{place}.known"] = task.scope.known
        (folder / "tasks.json").write_text(json.dumps({"layers": self.layers, "tasks": about}, indent=1))
        if self.tuned is not None:
            (folder / "tuned.onnx").write_bytes(self.tuned.content)
        # What safetensors writes is the memory of an array, in whichever order.
        rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        (folder / "weights.safetensors").write_bytes(save(rows))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load

        arrays = load((folder / "weights.safetensors").read_bytes())
        about, graph = json.loads((folder / "tasks.json").read_text()), folder / "tuned.onnx"
        tasks = {one["task"]: _read(arrays, place, one) for place, one in enumerate(about["tasks"])}
        return cls(tasks, TunedEncoder(graph.read_bytes()) if graph.exists() else None, about["layers"])


def _read(arrays: Mapping[str, Array], place: int, about: Mapping[str, Any]) -> LearntTask:
    head = LogisticHead(tuple(about["labels"]), arrays[f"{place}.weight"], arrays[f"{place}.bias"])
    scope = None if about["scope"] is None else Scope(arrays[f"{place}.known"], *about["scope"])
    return LearntTask(head, arrays[f"{place}.shares"], scope)


def tuned_logits(x: Array, head: LogisticHead) -> Array:
    """The part of a head's logits that comes from the tuned layers, (texts, labels); zeros without these."""
    part: Array = x[:, FROZEN:] @ head.weight[:, FROZEN:].T
    return part


def shares(labels: Labels, names: Sequence[str]) -> Array:
    """The share of each label."""
    counts = pd.Series(list(labels)).value_counts(normalize=True)
    return np.array([counts[name] for name in names], dtype=np.float32)

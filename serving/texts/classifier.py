"""The released classifier of texts, in this process."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from features.settings import Settings
from models.nlp import FAMILY
from models.nlp.model import ANSWERS, TextClassifier
from serving.conversations.understanding import NoClassifier, NotLearnt
from serving.released.champion import FollowedChampion

log = logging.getLogger("adloop.texts")

_NONE = f"no classifier of texts is released: adloop run --family {FAMILY.name}"


@dataclass(frozen=True)
class TextAnswer:
    """What a classifier says of a text.

    Attributes:
        label: the likeliest label of the task.
        confidence: its calibrated probability.
        score: sentiment from -1 to 1; None for a task whose labels are no sentiments.
        in_scope: probability that the text belongs to any label of the task.
    """

    label: str
    confidence: float
    score: float | None
    in_scope: float


class ReleasedClassifier:
    """The champion of the family that labels texts, followed (`FollowedChampion`).

    Where none is open, every method raises `NoClassifier` that says why.
    """

    def __init__(self, settings: Settings) -> None:
        self._champion = FollowedChampion(FAMILY.name, settings, log)

    @property
    def version(self) -> str:
        """The version that answers."""
        self._current()
        return self._champion.version

    def classify(
        self, texts: Sequence[str], task: str, aspects: Sequence[str | None] | None = None
    ) -> list[TextAnswer]:
        """One answer for each text, about its `aspect` (a brand or thing in it) where one is given.

        Raises `NotLearnt`.
        """
        model = self._current()
        if task not in model.tasks:
            raise NotLearnt(f"the classifier of texts learnt {', '.join(model.tasks)}, not {task}: give it examples")
        about = [None] * len(texts) if aspects is None else list(aspects)
        rows = pd.DataFrame({"text": list(texts), "task": task, "aspect": pd.Series(about, dtype=object)})
        rated, answers = model.tasks[task].rated, model.predict(rows)[list(ANSWERS)].to_numpy().tolist()
        return [TextAnswer(label, sure, score if rated else None, inside) for label, sure, score, inside in answers]

    def fault(self) -> str | None:
        """Why a released version cannot answer; None where it can, and where none is released."""
        return (self._champion.fault or None) if self._champion.bundle is None else None

    def left_out(self) -> dict[str, str]:
        """What does not answer as nothing was released."""
        return {} if self._champion.bundle is not None or self._champion.fault else {"classifier": _NONE}

    def _current(self) -> TextClassifier:
        bundle = self._champion.bundle
        if bundle is None or not isinstance(bundle.model, TextClassifier):
            raise NoClassifier(self._champion.fault or _NONE)
        return bundle.model

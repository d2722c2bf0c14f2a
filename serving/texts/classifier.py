"""The released classifier of texts, in this process."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from features.settings import Settings
from models.bundle import Bundle, open_bundle
from models.keys import public_key
from models.nlp import FAMILY
from models.nlp.model import ANSWERS, TextClassifier
from models.registry import Registry
from serving.conversations.understanding import NoClassifier, NotLearnt

log = logging.getLogger("adloop.texts")

#: Seconds between looks for a new champion, and where none is open.
LOOK_S, SOON_S = 30.0, 2.0
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
    """The champion of the registry, verified before it is opened; a newer champion replaces it within `LOOK_S`.

    Without a registry the one that is open stays. Where none is open, every method raises `NoClassifier` that says why.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._registry = settings, Registry(settings)
        self._lock, self._due = threading.Lock(), 0.0
        self._bundle: Bundle | None = None
        self._version, self._fault = "", ""

    @property
    def version(self) -> str:
        """The version that answers."""
        self._current()
        return self._version

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
        self._refresh()
        return self._fault if self._bundle is None and self._fault else None

    def left_out(self) -> dict[str, str]:
        """What does not answer as nothing was released."""
        return {} if self._bundle is not None or self._fault else {"classifier": _NONE}

    def _current(self) -> TextClassifier:
        self._refresh()
        if self._bundle is None or not isinstance(self._bundle.model, TextClassifier):
            raise NoClassifier(self._fault or _NONE)
        return self._bundle.model

    def _refresh(self) -> None:
        """Look for a new champion where that is due. Nobody waits for another's look while a version is open."""
        if time.monotonic() >= self._due and self._lock.acquire(blocking=self._bundle is None):
            try:
                if time.monotonic() >= self._due:
                    self._look()
            finally:
                self._lock.release()

    def _look(self) -> None:
        try:
            champion = self._registry.champion(FAMILY.name)
            if champion is not None and champion.version != self._version:
                folder = self._registry.download(FAMILY.name, champion.version)
                opened = open_bundle(folder, public_key(self._settings), FAMILY.name, champion.version)
                self._bundle, self._version = opened, champion.version
            self._fault = ""
        except Exception as fault:  # registry, disk or bundle: whoever asks is told why
            stays = f"version {self._version} stays" if self._version else "none is open"
            told = f"the champion of {FAMILY.name} cannot be opened, {stays}: {fault}"
            if told != self._fault:
                log.error("%s", told)
            self._fault = told
        self._due = time.monotonic() + (SOON_S if self._bundle is None else LOOK_S)

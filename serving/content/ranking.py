"""Orders drafts that passed: by the clicks that the creative family expects, what people said, and diversity."""

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.settings import Settings
from serving.content.feedback import Said

log = logging.getLogger("adloop.content")

#: Cosine of two drafts from which they say the same.
SAME = 0.8
#: Verdicts that what people said is shrunk by: one verdict on the very text moves it a third of the way.
SHRUNK = 2.0
#: Standard deviations of the expected click rate that people's verdicts move a draft by at most.
MOST = 3.0
#: Cosine below which a verdict says nothing of a text.
NEAR = 0.5

Floats = npt.NDArray[np.float64]


class Ranker(Protocol):
    """Expects clicks of texts that were never shown.

    Attributes:
        name: of the model and its version.
    """

    @property
    def name(self) -> str: ...

    def scores(self, texts: Sequence[str], headline: bool) -> Floats:
        """One number a text, comparable among these texts only."""


class Champion:
    """The champion of the creative family, asked for creatives without a history in an unknown campaign."""

    def __init__(self, bundle: Any, version: str) -> None:
        self._bundle, self._version = bundle, version

    @property
    def name(self) -> str:
        return f"creative {self._version}"

    def scores(self, texts: Sequence[str], headline: bool) -> Floats:
        row = self._new
        rows = pd.concat([row] * len(texts), ignore_index=True)
        rows["headline" if headline else "body"] = pd.Series(list(texts), dtype=object)
        found: Floats = np.log(self._bundle.model.predict(rows)["ctr"].to_numpy(dtype=float))
        return found

    @cached_property
    def _new(self) -> pd.DataFrame:
        """A creative that nobody has seen: no counts, no texts, nothing known of where it is shown."""
        columns = self._bundle.manifest.columns
        values = {name: [None if dtype == "object" else np.nan] for name, dtype in columns.items()}
        return pd.DataFrame(values).astype({name: "object" for name, dtype in columns.items() if dtype == "object"})


def champion(settings: Settings) -> Ranker | None:
    """The champion in the registry; None where none was released or the registry is away."""
    from models.bundle import open_bundle
    from models.keys import public_key
    from models.registry import Registry

    try:
        registry = Registry(settings)
        found = registry.champion("creative")
        if found is None:
            return None
        folder = registry.download("creative", found.version)
        ranker = Champion(open_bundle(folder, public_key(settings), "creative", found.version), found.version)
        ranker.scores(["a text"], headline=True)
    except Exception as away:  # registry, disk or bundle: drafts are then in the order of people's verdicts alone
        log.warning("drafts are ranked without the creative family: %s", away)
        return None
    return ranker


def order(texts: Sequence[str], expected: Floats | None, said: Sequence[Said]) -> list[int]:
    """Places of the texts, best first; of texts that say the same, only the best is kept.

    A text's worth is its expected score, standardized, plus `MOST` times the preference of people.
    """
    from models.text.embedding import embed

    if not texts:
        return []
    vectors = embed(list(texts)).astype(float)
    worth = MOST * preference(vectors, said)
    if expected is not None and np.std(expected) > 0:
        worth = worth + (expected - np.mean(expected)) / np.std(expected)
    kept: list[int] = []
    for place in np.argsort(-worth, kind="stable"):
        if all(vectors[place] @ vectors[other] <= SAME for other in kept):
            kept.append(int(place))
    return kept


def preference(vectors: Floats, said: Sequence[Said]) -> Floats:
    """From -1 (like what people rejected) to 1 (like what they accepted or wrote themselves), 0 where nothing is near.

    A kernel regression (Nadaraya, 1964; Watson, 1964) on embeddings of length 1, shrunk to 0 by `SHRUNK` verdicts. A
    text accepted counts 1, one rejected -1, one edited -1/2, and what it was edited to 1.
    """
    from models.text.embedding import embed

    told = [pair for one in said for pair in _told(one)]
    if not told:
        return np.zeros(len(vectors))
    near = np.clip((vectors @ embed([text for text, _ in told]).T.astype(float) - NEAR) / (1 - NEAR), 0, 1) ** 2
    found: Floats = near @ np.array([value for _, value in told]) / (SHRUNK + near.sum(axis=1))
    return found


def _told(one: Said) -> list[tuple[str, float]]:
    if one.verdict == "edit":
        return [(one.text, -0.5), *([(one.edited, 1.0)] if one.edited else [])]
    return [(one.text, 1.0 if one.verdict == "accept" else -1.0)]

"""What the effect of a text is told from: its words, its traits, and its states in the layers of a sentence encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from models.text.embedding import layers
from models.text.phrasing import phrasing
from models.text.traits import traits

Matrix = npt.NDArray[np.float32]
#: Standardized traits are cut at so many deviations: counts of short texts are long-tailed.
CUT = 4.0
#: Words that one text alone has are left out where there are more texts than this.
FEW = 200


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as numbers.

    Attributes:
        words: TF-IDF of words and pairs of words, rows of length 1, (texts, vocabulary).
        traits: standardized, and divided so that a row's length is about 1, (texts, traits).
        states: directions from the mean state, (layers, texts, `SIZE`).
    """

    words: csr_matrix
    traits: Matrix
    states: Matrix

    def __len__(self) -> int:
        return len(self.traits)

    def __getitem__(self, rows: npt.NDArray[np.intp]) -> "EncodedTexts":
        return EncodedTexts(self.words[rows], self.traits[rows], self.states[:, rows])


@dataclass(frozen=True)
class TextInputs:
    """From texts to numbers, as fitted to the texts of the training.

    Attributes:
        vocabulary: words and pairs of words, and their inverse document frequency.
        center, scale: of the traits.
        origin: mean states, (layers, `SIZE`).
    """

    vocabulary: tuple[str, ...]
    frequency: Matrix
    center: Matrix
    scale: Matrix
    origin: Matrix

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """Fit to distinct texts. Raises `ValueError` where none has a word of two letters or more."""
        words = _vectorizer(min_df=2 if len(texts) > FEW else 1)
        if not any(map(words.build_analyzer(), texts)):
            raise ValueError("texts: expected a word of two letters or more in at least one")
        words.fit(texts)
        raw = _raw_traits(texts)
        scale = raw.std(axis=0)
        return cls(
            vocabulary=tuple(words.get_feature_names_out()),
            frequency=words.idf_.astype(np.float32),
            center=raw.mean(axis=0).astype(np.float32),
            scale=np.where(scale > 1e-6, scale, np.inf).astype(np.float32),
            origin=layers(texts).mean(axis=0),
        )

    def of(self, texts: Sequence[str]) -> EncodedTexts:
        """Encode texts."""
        words = self._words.transform(texts).astype(np.float32)
        standard = np.clip((_raw_traits(texts) - self.center) / self.scale, -CUT, CUT) / np.sqrt(len(self.center))
        apart = layers(texts) - self.origin
        length = np.linalg.norm(apart, axis=2, keepdims=True)
        states = np.ascontiguousarray((apart / np.maximum(length, 1e-6)).transpose(1, 0, 2))
        return EncodedTexts(csr_matrix(words), standard.astype(np.float32), states)

    @cached_property
    def _words(self) -> Any:
        found = _vectorizer(vocabulary={word: place for place, word in enumerate(self.vocabulary)})
        found.idf_ = self.frequency
        return found


def _vectorizer(**given: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **given)


def _raw_traits(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    return np.hstack([traits(texts), phrasing(texts)])

"""The effect of a text on the log-odds of a click, with its error."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtr

from models.text.effects.evidence import Array
from models.text.effects.inputs import EncodedTexts, Matrix, TextInputs
from models.text.effects.prior import TextPrior

_FILE, _INPUTS = "text_effects", ("frequency", "center", "scale", "origin")


@dataclass(frozen=True)
class TextWeights:
    """The mean of the posterior, folded into weights: of each kernel, the sum over the training of what it holds.

    Attributes:
        words: (vocabulary,).
        traits, traits_squared: (traits,), (traits, traits).
        states, states_squared: (layers, `SIZE`), (layers, `SIZE`, `SIZE`).
        traits_by_states: (traits, layers * `SIZE`).
    """

    words: Matrix
    traits: Matrix
    traits_squared: Matrix
    states: Matrix
    states_squared: Matrix
    traits_by_states: Matrix

    @classmethod
    def fold(cls, prior: TextPrior, texts: EncodedTexts, dual: Matrix) -> Self:
        """From the weight of each text of the training."""
        layers = len(texts.states)
        by_trait: Matrix = (texts.traits * dual[:, None]).astype(np.float32)
        return cls(
            words=np.float32(prior.words) * (texts.words.T @ dual),
            traits=np.float32(prior.traits) * by_trait.sum(axis=0),
            traits_squared=np.float32(prior.traits_squared) * (by_trait.T @ texts.traits).astype(np.float32),
            states=np.float32(prior.states / layers) * np.einsum("lns,n->ls", texts.states, dual),
            states_squared=np.float32(prior.states_squared / layers)
            * np.stack([(one * dual[:, None]).T @ one for one in texts.states]),
            traits_by_states=np.float32(prior.traits_by_states / layers) * (by_trait.T @ _flat(texts)),
        )

    def of(self, texts: EncodedTexts) -> Array:
        """The effect of each text."""
        states = _flat(texts)
        bent = np.concatenate([one @ by for one, by in zip(texts.states, self.states_squared, strict=True)], axis=1)
        turned = texts.traits @ self.traits_squared + self.traits
        found = texts.words @ self.words + (texts.traits * turned).sum(axis=1)
        rest = (states * (bent + self.states.ravel() + texts.traits @ self.traits_by_states)).sum(axis=1)
        return np.asarray(found + rest, dtype=np.float64)


def _flat(texts: EncodedTexts) -> Matrix:
    return np.concatenate(list(texts.states), axis=1)


@dataclass(frozen=True)
class TextEffects:
    """Effects of texts, in log-odds of a click.

    Only differences mean something: what a text gets also depends on whom it is shown to, and where.

    Attributes:
        landmarks: texts of the training by which it is told how much was learnt near a text.
        learnt: their matrix: the variance that clicks took away from texts with covariances k to them is k' learnt k.
        slope, spread: factors of effects and of their errors that make them right for texts held out.
    """

    inputs: TextInputs
    prior: TextPrior
    weights: TextWeights
    landmarks: EncodedTexts
    learnt: Array
    slope: float = 1.0
    spread: float = 1.0

    def score(self, texts: Sequence[str]) -> Array:
        """The effect of each text."""
        return self.slope * self.weights.of(self.inputs.of(texts))

    def difference(self, first: Sequence[str], second: Sequence[str]) -> tuple[Array, Array]:
        """By how much the effects of `first` exceed those of `second`, text by text, and the standard deviation of
        that; 0 where both are the same text."""
        left, right = self.inputs.of(first), self.inputs.of(second)
        seen = (self.prior.between(left, self.landmarks) - self.prior.between(right, self.landmarks)).astype(np.float64)
        along = self.prior.along
        before = along(left, left) + along(right, right) - 2 * along(left, right)
        variance = before - ((seen @ self.learnt) * seen).sum(axis=1)
        other = np.array([a != b for a, b in zip(first, second, strict=True)])
        variance = np.where(other, np.maximum(variance, 0) + 2 * self.prior.own, 0.0)
        return self.slope * (self.weights.of(left) - self.weights.of(right)), self.spread * np.sqrt(variance)

    def beats(self, first: Sequence[str], second: Sequence[str]) -> Array:
        """The probability that the true effect of each of `first` is above that of its `second`; .5 for the same."""
        mean, deviation = self.difference(first, second)
        return np.asarray(ndtr(np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)))

    def save(self, folder: Path) -> None:
        """Write `text_effects.json` and `text_effects.safetensors`."""
        from safetensors.numpy import save_file

        words = self.landmarks.words
        arrays = {
            **{f"inputs.{name}": getattr(self.inputs, name) for name in _INPUTS},
            **{f"weights.{name}": array for name, array in vars(self.weights).items()},
            **{f"landmarks.{name}": getattr(self.landmarks, name) for name in ("traits", "states")},
            **{f"landmarks.words.{name}": getattr(words, name) for name in ("data", "indices", "indptr")},
            "learnt": self.learnt,
        }
        about = {
            "vocabulary": self.inputs.vocabulary,
            "prior": asdict(self.prior),
            "slope": self.slope,
            "spread": self.spread,
        }
        save_file({name: np.ascontiguousarray(one) for name, one in arrays.items()}, folder / f"{_FILE}.safetensors")
        (folder / f"{_FILE}.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote."""
        from safetensors.numpy import load_file

        about = json.loads((folder / f"{_FILE}.json").read_text())
        arrays = load_file(folder / f"{_FILE}.safetensors")
        vocabulary = tuple(about["vocabulary"])
        traits, states = arrays["landmarks.traits"], arrays["landmarks.states"]
        parts = tuple(arrays[f"landmarks.words.{name}"] for name in ("data", "indices", "indptr"))
        words = csr_matrix(parts, shape=(len(traits), len(vocabulary)))
        return cls(
            inputs=TextInputs(vocabulary, *(arrays[f"inputs.{name}"] for name in _INPUTS)),
            prior=TextPrior(**about["prior"]),
            weights=TextWeights(*(arrays[f"weights.{one.name}"] for one in fields(TextWeights))),
            landmarks=EncodedTexts(words, traits, states),
            learnt=arrays["learnt"],
            slope=about["slope"],
            spread=about["spread"],
        )

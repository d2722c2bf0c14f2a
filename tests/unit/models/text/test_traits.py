"""What is said of a text without a model."""

import numpy as np
import pytest

from models.text import emotion, readability, sentiment, surface, traits


def of(module: object, text: str) -> dict[str, float]:
    part = getattr(module, module.__name__.rsplit(".", 1)[-1])  # type: ignore[attr-defined]
    return dict(zip(module.NAMES, part([text])[0], strict=True))  # type: ignore[attr-defined]


def test_surface_counts_what_stands_there() -> None:
    found = of(surface, "Why are 3 of 1,000 ads SO good for you?")
    assert (found["words"], found["numbers"], found["question"], found["exclamation"]) == (8, 2, 1, 0)
    assert found["capitals"] == pytest.approx(1 / 8)
    assert (found["you"], found["we"]) == (1, 0)


def test_long_words_and_sentences_read_less_easily() -> None:
    easy, hard = of(readability, "We sell good shoes."), of(readability, "Considerable institutional responsibilities")
    assert easy["reading_ease"] > 90 > 0 > hard["reading_ease"]


def test_sentiment_has_a_sign() -> None:
    assert of(sentiment, "A wonderful, lovely day")["sentiment"] > 0.5
    assert of(sentiment, "A terrible disaster")["sentiment"] < -0.5
    assert of(sentiment, "A table with legs")["sentiment"] == 0


def test_emotions_are_told_by_their_words() -> None:
    found = of(emotion, "Last chance: an amazing gift, only today")
    assert {name for name, count in found.items() if count} == {"urgency", "awe", "gain", "scarcity"}


def test_a_text_is_described_alone_as_among_others_and_none_is_no_row() -> None:
    texts = ["10 city trips", "", "\U0001f600", "Gr\u00f6\u00dfe z\u00e4hlt"]
    whole = traits.traits(texts)
    assert whole.shape == (4, len(traits.NAMES)) and np.isfinite(whole).all()
    assert np.array_equal(whole, np.vstack([traits.traits([text]) for text in texts]))
    assert traits.traits([]).shape == (0, len(traits.NAMES))

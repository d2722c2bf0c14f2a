"""Sentiment of mentions towards a brand, by a classifier that the caller gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from models.text.language import languages

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Label, ...] = get_args(Label)
#: Languages whose sentiment is rated: those of the encoder of the family `nlp`.
RATED = ("en",)
#: A language is detected in texts of so many letters, and believed with this probability.
LETTERS, SURE = 20, 0.7


class Answer(Protocol):
    """One answer of a classifier; `score` is a sentiment from -1 to 1."""

    @property
    def label(self) -> str: ...
    @property
    def score(self) -> float | None: ...


class SentimentClassifier(Protocol):
    """Answers for each text, about the aspect of the same place."""

    def classify(
        self, texts: Sequence[str], task: str, aspects: Sequence[str | None] | None = None
    ) -> Sequence[Answer]: ...


@dataclass(frozen=True)
class Sentiment:
    """The side of a text and its score from -1 to 1; `unrated` in languages that are not rated."""

    label: Label | Literal["unrated"]
    score: float = 0.0


UNRATED = Sentiment("unrated")


def rate(
    classifier: SentimentClassifier, texts: Sequence[str], aspects: Sequence[str], languages: Sequence[str]
) -> list[Sentiment]:
    """The sentiment of each text about its aspect. An empty language is detected."""
    rated = [place for place, text in enumerate(texts) if (languages[place] or language(text)) in RATED]
    found = [UNRATED] * len(texts)
    if rated:
        asked = [texts[place] for place in rated]
        answers = classifier.classify(asked, "sentiment", [aspects[place] for place in rated])
        for place, answer in zip(rated, answers, strict=True):
            found[place] = _sentiment(answer)
    return found


def language(text: str) -> str:
    """The language of a text; English where there are too few letters to tell, as of emoji."""
    if sum(map(str.isalpha, text)) < LETTERS:
        return "en"
    ((best, sure),) = languages(text[:500]).items()
    return best if sure >= SURE else "en"


def _sentiment(answer: Answer) -> Sentiment:
    label = next((one for one in LABELS if one == answer.label), None)
    if label is None:
        raise ValueError(f"sentiment: expected one of {', '.join(LABELS)}, got {answer.label!r}")
    score = answer.score if answer.score is not None else float(LABELS.index(label) - 1)
    return Sentiment(label, max(-1.0, min(1.0, float(score))))

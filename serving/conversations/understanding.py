"""What a turn means: its intent, emotion and sentiment, by the released classifier, and its language."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from models.text.language import languages
from serving.conversations.rules import Language

INTENT, EMOTION, SENTIMENT = "intent", "emotion", "sentiment"


class NoClassifier(LookupError):
    """No classifier of texts is released, or it cannot be opened."""


class NotLearnt(NoClassifier):
    """The classifier that is released has not learnt a task."""


class TurnAnswer(Protocol):
    """See `serving.texts.classifier.TextAnswer`."""

    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def score(self) -> float | None: ...
    @property
    def in_scope(self) -> float: ...


class TurnClassifier(Protocol):
    """Answers texts by task; the one of `serving.texts.classifier`."""

    def classify(self, texts: Sequence[str], task: str) -> Sequence[TurnAnswer]:
        """One answer a text. Raises `NotLearnt`, and `NoClassifier` where none answers."""


@dataclass(frozen=True)
class Understanding:
    """A turn. The classifier is asked when it is needed: a rule that comes before needs none."""

    text: str
    classifier: TurnClassifier

    @cached_property
    def intent(self) -> TurnAnswer:
        """The intent."""
        return self._answer(INTENT)

    @cached_property
    def emotion(self) -> TurnAnswer | None:
        """The emotion; None where the classifier has not learnt any."""
        return self._optional(EMOTION)

    @cached_property
    def sentiment(self) -> TurnAnswer | None:
        """The sentiment; None where the classifier has not learnt it."""
        return self._optional(SENTIMENT)

    def _answer(self, task: str) -> TurnAnswer:
        return self.classifier.classify([self.text], task)[0]

    def _optional(self, task: str) -> TurnAnswer | None:
        try:
            return self._answer(task)
        except NotLearnt:  # examples of this task are optional
            return None


#: Frequent words of one language alone: short texts have too few letters for a detector.
_FREQUENT: dict[Language, str] = {
    "en": "a the is are it i you my of for to and not no yes how what where when can do please this",
    "de": "der die das ist sind es ich sie mein und nicht nein ja wie wo wann kann bitte ein eine einen kostet zu auf",
}
#: How many times likelier one language is than the other, where neither has more of the words, and how likely at least.
LIKELIER, LEAST = 2.0, 0.1


def language(text: str, before: Language) -> Language:
    """English or German, by frequent words, else by a detector; the one before where neither is clear."""
    english, german = _frequent(text, "en"), _frequent(text, "de")
    if english == german:
        english, german = _detected(text)
        if max(english, german) < max(LEAST, LIKELIER * min(english, german)):
            return before
    return "en" if english > german else "de"


def _frequent(text: str, language: Language) -> float:
    known = _FREQUENT[language].split()
    return float(sum(word.strip(".,!?") in known for word in text.lower().split()))


def _detected(text: str) -> tuple[float, float]:
    """The probabilities of English and German."""
    told = languages(text[:500], 10)
    return told.get("en", 0.0), told.get("de", 0.0)

"""Turns that are spoken: a sound in; the answer as text, and as a sound. Needs the extra `voice`, and English."""

import re
from dataclasses import dataclass
from typing import Any

from features.masking import CARD
from models.speech.sound import read, written
from models.speech.synthesis import VOICE_RATE, speak
from models.speech.transcription import transcribe
from models.speech.weights import needed
from serving.content.numbers import numbers
from serving.conversations.assistant import Assistant

#: How amounts are written for the voice, which knows the notation of the United States.
_AMOUNTS = {"EUR": "\N{EURO SIGN}{}", "USD": "${}", "GBP": "\N{POUND SIGN}{}", "CHF": "{} Swiss francs"}
#: Numbers of this many digits name something, such as an order: they are said digit by digit.
_NAMING = re.compile(r"\d{5,}")
#: A card number, or with + a phone's; a digit that is misheard breaks a card's checksum, so none is asked for.
_LONG = re.compile(r"\+?\d(?:[ .,-]{0,2}\d){12,}")
#: How addresses and the codes of countries are said.
_AT = re.compile(r"\s+at\s+(?=(?:[\w-]+\.)+[a-z]{2,24}\b)", re.IGNORECASE)
_PLUS = re.compile(r"\bplus\s+(?=\d)", re.IGNORECASE)


@dataclass(frozen=True)
class SpokenTurn:
    """A turn.

    Attributes:
        heard: what was understood, card numbers masked; empty where nothing was.
        told: the answer, as `Assistant.say` gives it.
        speech: the answer as a WAV file; None for one in German, which the voice does not speak.
    """

    heard: str
    told: dict[str, Any]
    speech: bytes | None


def converse(assistant: Assistant, user: str, wav: bytes, customer_value: float | None = None) -> SpokenTurn:
    """Answer a spoken turn of a user. Nothing of the sound is kept; the text is kept as that of a written turn.

    Raises `NoVoice` without the extra, `InvalidSound` for bytes that are no WAV file, and what `Assistant.say` raises.
    """
    needed()
    heard = as_written(transcribe(read(wav)))
    told = assistant.say(user, heard, customer_value)
    speech = written(speak(for_voice(told["text"])), VOICE_RATE) if told["language"] == "en" else None
    return SpokenTurn(heard, told, speech)


def as_written(heard: str) -> str:
    """What was heard as people write it, so that it is understood and masked as a written turn; card numbers masked."""
    plain = _PLUS.sub("+", _AT.sub("@", heard))
    return _LONG.sub(lambda number: number[0] if number[0].startswith("+") else CARD, plain)


def for_voice(text: str) -> str:
    """A reply as the voice reads it right: `19,99 \N{EURO SIGN}` as `\N{EURO SIGN}19.99`, an order number in digits."""
    for fact in reversed(list(numbers(text))):
        if fact.unit in _AMOUNTS:
            (amount,) = fact.values
            said = f"{amount:.2f}" if amount % 1 else f"{amount:.0f}"
            text = text[: fact.start] + _AMOUNTS[fact.unit].format(said) + text[fact.end :]
    return _NAMING.sub(lambda digits: " ".join(digits[0]), text)

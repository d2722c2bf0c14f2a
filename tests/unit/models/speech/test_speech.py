"""What is said is heard, and where nobody speaks nothing is."""

import numpy as np
import pytest

from models.speech.activity import SHORTEST_S, spoken
from models.speech.sound import RATE, read, written
from models.speech.synthesis import VOICE_RATE, speak
from models.speech.transcription import Writing, transcribe, understood
from models.speech.weights import there
from tests.benchmarks.nlp_voice_sounds import nobody

needs_voice = pytest.mark.skipif(not there(), reason="needs adloop[voice]")


@pytest.mark.parametrize(
    ("told", "is_text"),
    [
        (Writing("How much is the Malt?", -0.1, 0.3), True),
        (Writing("Yes.", -0.6, 0.1), True),
        (Writing("Thank you.", -1.4, 0.4), False),
        (Writing("Thank you.", -0.4, 0.9), False),
        (Writing("I want to go. " * 12, -0.05, 0.1), False),
        (Writing("...", -0.1, 0.1), False),
        (Writing("", 0.0, 0.0), False),
    ],
)
def test_what_whisper_is_not_sure_of_is_no_text(told: Writing, is_text: bool) -> None:
    assert understood(told) == is_text


@needs_voice
def test_what_is_said_is_heard_and_said_again_the_same() -> None:
    text = "Deliver it on Tuesday, please. My order number is 1 0 4 8 2 3 1."
    speech = speak(text)
    np.testing.assert_array_equal(speak(text), speech)
    assert 3 < len(speech) / VOICE_RATE < 10 and np.abs(speech).max() <= 1
    quiet = np.concatenate([np.zeros(VOICE_RATE), speech, np.zeros(VOICE_RATE)]).astype(np.float32)
    sound = read(written(quiet, VOICE_RATE))
    assert len(speech) / VOICE_RATE - 1 < len(spoken(sound)) / RATE < len(speech) / VOICE_RATE + 0.5
    assert transcribe(sound) == "Deliver it on Tuesday, please. My order number is 1048231."


@needs_voice
def test_where_nobody_speaks_there_is_no_text() -> None:
    assert {transcribe(wave.astype(np.float32)) for _, wave in nobody(seed=9)} == {""}
    assert transcribe(np.zeros(0, np.float32)) == transcribe(np.zeros(100, np.float32)) == ""


@needs_voice
def test_a_click_is_not_spoken() -> None:
    speech = read(written(speak("Hello."), VOICE_RATE))
    loudest = int(np.abs(speech).argmax())
    click = np.zeros(RATE, np.float32)
    click[: int(RATE * SHORTEST_S / 4)] = speech[loudest : loudest + int(RATE * SHORTEST_S / 4)]
    assert len(spoken(click)) == 0

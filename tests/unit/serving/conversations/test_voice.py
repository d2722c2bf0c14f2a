"""Spoken turns are answered aloud, kept as written ones are, and refused with what is missing."""

from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.masking import masked
from features.settings import Settings
from models.speech import weights
from models.speech.sound import read, written
from models.speech.synthesis import VOICE_RATE, speak
from models.speech.transcription import transcribe
from serving.conversations.api import kept, router
from serving.conversations.assistant import Assistant
from serving.conversations.shop import Shop
from serving.conversations.understanding import TurnClassifier
from serving.conversations.voice import as_written, converse, for_voice

HERE = "/v1/conversations/voice"
needs_voice = pytest.mark.skipif(not weights.there(), reason="needs adloop[voice]")


@pytest.fixture
def assistant(tmp_path: Path, classifier: TurnClassifier, shop: Shop) -> Assistant:
    return Assistant(kept(Settings(home=tmp_path)), classifier, shop)


@pytest.fixture
def client(tmp_path: Path, classifier: TurnClassifier, shop: Shop) -> TestClient:
    app = FastAPI()
    app.include_router(router(Settings(home=tmp_path), classifier))
    return TestClient(app)


def said(text: str) -> bytes:
    return written(np.pad(speak(text), VOICE_RATE // 2), VOICE_RATE)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Malt costs 19,99 €; it was 24,90 €.", "Malt costs €19.99; it was €24.90."),
        ("It costs $1,299 or £18.50.", "It costs $1299 or £18.50."),
        ("1.299,00 EUR, CHF 89.90", "€1299, 89.90 Swiss francs"),
        ("Cancel order 1048231. Is that right?", "Cancel order 1 0 4 8 2 3 1. Is that right?"),
        ("Order: 12 x Malt, on 30 November 2026.", "Order: 12 x Malt, on 30 November 2026."),
    ],
)
def test_amounts_and_numbers_are_written_for_the_voice(text: str, spoken: str) -> None:
    assert for_voice(text) == spoken


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        ("My email is Anna at example.org.", "My email is [email]."),
        ("Call me at 0176-123-45678.", "Call me at [phone]."),
        ("It is plus 4-9-1-7-6-1-2-3-4-5-6-7-8.", "It is [phone]."),
        ("My card is 4242. 4242. 4242. 4243.", "My card is [card]."),
        ("Deliver order 1048231 at home, 2 plus a jacket.", "Deliver order 1048231 at home, 2 plus a jacket."),
    ],
)
def test_personal_data_is_masked_as_it_is_heard(heard: str, kept: str) -> None:
    assert masked(as_written(heard)) == kept


def test_without_the_extra_the_answer_says_what_to_install(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PACKAGES", {"no_such_voice": "no-such-voice"})
    refused = client.post(HERE, params={"user": "a"}, content=b"RIFF", headers={"content-type": "audio/wav"})
    assert (refused.status_code, "pip install 'adloop[voice]'" in refused.json()["detail"]) == (503, True)


def test_a_turn_without_its_user_is_refused(client: TestClient) -> None:
    refused = client.post(HERE, content=b"RIFF", headers={"content-type": "audio/wav"})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "user"])


@needs_voice
def test_a_spoken_turn_over_http(client: TestClient) -> None:
    def asked(content: bytes) -> dict:
        headers = {"content-type": "audio/wav"}
        return client.post(HERE, params={"user": "a"}, content=content, headers=headers).json()

    assert "a whole WAV file" in asked(b"no sound")["detail"]
    told = asked(said("How much is the City Runner?"))
    assert (told["heard"], told["text"]) == (
        "How much is the city runner?",
        "City Runner costs 59,90 €; it was 79,90 €.",
    )
    heard = transcribe(read(b64decode(told["speech"])))
    assert all(part in heard for part in ("59", "79", "euros")), heard
    talk = client.get(f"/v1/conversations/{told['conversation']}").json()
    assert [turn["text"] for turn in talk["turns"]] == ["How much is the city runner?"]


@needs_voice
def test_silence_is_an_empty_turn_and_personal_data_is_masked(assistant: Assistant) -> None:
    silent = converse(assistant, "a", written(np.zeros(VOICE_RATE, np.float32), VOICE_RATE))
    assert (silent.heard, silent.told["act"]) == ("", "empty") and silent.speech is not None
    email = converse(assistant, "a", said("My email is anna at example dot org."))
    assert "@example.org" in email.heard
    card = converse(assistant, "a", said("My card number is 4 1 1 1, 1 1 1 1, 1 1 1 1, 1 1 1 1."))
    turns = assistant.conversation(card.told["conversation"]).turns
    assert turns[-2].text == "My email is [email]."
    assert card.heard == turns[-1].text == "My card number is [card]."


@needs_voice
def test_an_answer_in_german_is_not_spoken(assistant: Assistant) -> None:
    assistant.say("a", "Wie lange dauert die Lieferung?")
    silent = converse(assistant, "a", written(np.zeros(VOICE_RATE, np.float32), VOICE_RATE))
    assert (silent.told["language"], silent.speech) == ("de", None)

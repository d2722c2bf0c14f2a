"""Conversations are summed up by what users told, and what people corrected is learnt from without leaks."""

from pathlib import Path

import pandas as pd
import pytest

from features import sources
from features.settings import Settings
from features.sources.shop_intents import examples
from features.tables import Tables
from models.nlp.examples import text_examples
from models.nlp.params import NlpParams
from serving.conversations.assistant import Assistant
from serving.conversations.shop import Shop
from serving.conversations.store import SqliteConversations
from serving.conversations.summary import conversations, export, summarize
from serving.conversations.understanding import TurnClassifier


class Clock:
    now = 1_795_953_600.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> SqliteConversations:
    return SqliteConversations(tmp_path / "talk.db", days=30)


@pytest.fixture
def assistant(store: SqliteConversations, classifier: TurnClassifier, shop: Shop) -> Assistant:
    return Assistant(store, classifier, shop, now=Clock())


def test_a_summary_tells_only_what_happened(assistant: Assistant, store: SqliteConversations) -> None:
    empty = summarize(conversations(store))
    assert (empty.conversations, empty.completion, empty.satisfaction, empty.resolution_s) == (0, None, None, None)
    for user in ("happy", "silent"):
        assistant.say(user, "where is my order")
        assistant.say(user, "thank you very much")
    assistant.say("happy", "5")
    over = assistant.say("cross", "a human, please")
    assistant.say("open", "hello")
    assistant.resolve(over["conversation"])
    found = summarize(conversations(store))
    assert (found.conversations, found.completed, found.completion) == (4, 2, pytest.approx(2 / 3))
    assert (found.rated, found.satisfaction) == (1, 5)
    assert found.handovers == {"the customer asked for a person": 1}
    assert found.resolution_s is not None and 10 <= found.resolution_s <= 60


def test_corrections_are_masked_texts(assistant: Assistant, store: SqliteConversations, tmp_path: Path) -> None:
    told = assistant.say("a", "my parcel vanished, write to anna@shop.example")
    with pytest.raises(ValueError, match=r"intent: expected one of greeting, .*oos, got 'lost'"):
        assistant.correct(told["conversation"], 1, "lost")
    with pytest.raises(ValueError, match="turn: expected one of 1 to 1, got 2"):
        assistant.correct(told["conversation"], 2, "order_status")
    assistant.correct(told["conversation"], 1, "complaint")
    assistant.correct(told["conversation"], 1, "order_status")
    assistant.say("a", "hello")  # the correction outlives the next turn
    assert export(conversations(store), tmp_path / "out") == 1
    sources.read(["shop_intents", str(tmp_path / "out")], tmp_path / "read", Settings(home=tmp_path))
    last = pd.read_parquet(tmp_path / "read" / "texts.parquet").iloc[-1]
    assert last[["text", "label", "task"]].tolist() == [
        "my parcel vanished, write to [email]",
        "order_status",
        "intent",
    ]


def test_held_out_turns_stay_held_out_with_every_export(tmp_path: Path) -> None:
    def splits(rows: pd.DataFrame) -> dict[str, str]:
        rows.to_parquet(tmp_path / "texts.parquet", index=False)
        found = text_examples(Tables(tmp_path), NlpParams(seed=1), None, None)
        return dict(zip(found["text"], found["split"], strict=True))

    texts = [f"where is parcel {place}" for place in range(200)]
    corrected = pd.DataFrame({"text": texts, "label": "order_status", "task": "intent", "language": "en"})
    first = splits(pd.concat([examples(), corrected[:100]], ignore_index=True))
    second = splits(pd.concat([examples(), corrected], ignore_index=True))
    assert set(first.values()) == {"train", "valid", "test"}
    assert {text: second[text] for text in first} == first

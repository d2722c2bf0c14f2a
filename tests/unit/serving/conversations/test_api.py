"""The routes answer with what is wrong, and reach every part of the assistant."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.settings import Settings
from serving.conversations.api import router
from serving.conversations.shop import InvalidShop, Shop, read_shop
from serving.conversations.understanding import NoClassifier, NotLearnt, TurnAnswer, TurnClassifier

HERE = "/v1/conversations"


@pytest.fixture
def client(tmp_path: Path, classifier: TurnClassifier, shop: Shop) -> TestClient:
    app = FastAPI()
    app.include_router(router(Settings(home=tmp_path), classifier))
    return TestClient(app)


def test_a_conversation_over_http(client: TestClient) -> None:
    told = client.post(HERE, json={"user": "a", "text": "how much is the Trail Runner"}).json()
    assert (told["text"], told["action"], told["handover"]) == ("Trail Runner costs 89,90 €.", None, None)
    one = f"{HERE}/{told['conversation']}"
    assert client.post(f"{one}/corrections", json={"turn": 1, "intent": "details"}).json()["turns"][0]["corrected"]
    client.post(HERE, json={"user": "a", "text": "a human, please"})
    waiting = client.get(f"{HERE}/waiting").json()["waiting"]
    assert [talk["id"] for talk in waiting] == [told["conversation"]]
    assert client.post(f"{one}/resolve").json()["status"] == client.get(one).json()["status"] == "resolved"
    assert client.get(f"{HERE}/waiting").json() == {"waiting": []}
    assert client.get(f"{HERE}/summary").json()["handovers"] == {"the customer asked for a person": 1}


def test_what_is_wrong_is_named(client: TestClient) -> None:
    assert client.get(f"{HERE}/none").status_code == 404
    assert client.post(HERE, json={"user": "", "text": "a"}).json()["detail"][0]["loc"] == ["body", "user"]
    assert client.post(HERE, json={"user": "a", "text": "a", "rules": {}}).status_code == 422
    told = client.post(HERE, json={"user": "a", "text": "x" * 1_000_000}).json()
    assert told["act"] == "too_long"
    wrong = client.post(f"{HERE}/{told['conversation']}/corrections", json={"turn": 7, "intent": "price"})
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "turn: expected one of 1 to 1, got 7")


@pytest.mark.parametrize(
    "why",
    [
        NoClassifier("no classifier of texts is released: adloop run --family nlp"),
        NotLearnt("the classifier of texts learnt sentiment, not intent: give it examples"),
    ],
)
def test_without_a_classifier_of_intents_the_answer_says_what_is_missing(tmp_path: Path, why: NoClassifier) -> None:
    class NoAnswers:
        def classify(self, texts: Sequence[str], task: str) -> Sequence[TurnAnswer]:
            raise why

    app = FastAPI()
    app.include_router(router(Settings(home=tmp_path), NoAnswers()))
    refused = TestClient(app).post(HERE, json={"user": "a", "text": "hello"})
    assert (refused.status_code, refused.json()["detail"]) == (503, str(why))


def test_a_broken_sheet_is_named(tmp_path: Path) -> None:
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "malt.yaml").write_text("name: Malt\nprice: cheap\n")
    with pytest.raises(InvalidShop, match=r"malt.yaml: price"):
        read_shop(tmp_path)

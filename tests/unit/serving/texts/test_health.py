"""The text server is ready when its classifier and its stores answer, and says which of them does not."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.settings import Settings
from models.registry import Registry, Version
from serving.access import keys
from serving.released import champion as released
from serving.texts.app import make_app
from serving.texts.classifier import ReleasedClassifier
from serving.texts.metrics import UNREADY

CHAMPION = Version("nlp", "1", "released", "", ("champion",), {}, "run")


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Callable[[], Any]]:
    with TestClient(make_app(Settings(home=tmp_path))) as client:
        yield lambda: client.get("/health/ready")


def once(answer: Callable[[], Any], status: int) -> dict[str, Any]:
    """The first answer with this status."""
    until = time.monotonic() + 30
    while (found := answer()).status_code != status:
        assert time.monotonic() < until, found.text
        time.sleep(0.05)
    return dict(found.json())


def test_a_home_without_a_classifier_is_ready_and_says_what_it_cannot_do(asked: Callable[[], Any]) -> None:
    told = once(asked, 200)
    assert (told["ready"], told["reasons"]) == (True, {})
    assert "adloop run --family nlp" in told["left_out"]["classifier"]


def test_a_store_that_is_gone_makes_it_unready_until_it_is_back(asked: Callable[[], Any], tmp_path: Path) -> None:
    once(asked, 200)
    aside = (tmp_path / "conversations").rename(tmp_path / "aside")
    told = once(asked, 503)
    assert told["ready"] is False and "unable to open database file" in told["reasons"]["conversations"]
    assert UNREADY.labels("conversations")._value.get() == 1
    aside.rename(tmp_path / "conversations")
    once(asked, 200)
    assert UNREADY.labels("conversations")._value.get() == 0


def test_a_store_that_is_gone_is_no_error_of_the_servers_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    headers = {"authorization": f"Bearer {keys.make(settings, 'test', ['texts'], 1000)}"}
    with TestClient(make_app(settings), raise_server_exceptions=False) as client:
        (tmp_path / "conversations").rename(tmp_path / "aside")
        answer = client.get("/v1/conversations/waiting", headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "/health/ready" in answer.json()["error"]


class Away(Registry):
    """A registry that cannot be reached."""

    calls = 0

    def champion(self, family: str) -> Version | None:
        type(self).calls += 1
        raise ConnectionError("no route to the registry")


def test_a_registry_that_is_away_makes_it_unready_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "Registry", Away)
    monkeypatch.setattr(released, "SOON_S", 30.0)
    settings = Settings(home=tmp_path)
    headers = {"authorization": f"Bearer {keys.make(settings, 'test', ['texts'], 1000)}"}
    with TestClient(make_app(settings), raise_server_exceptions=False) as client:
        told = once(lambda: client.get("/health/ready"), 503)
        while told["reasons"].keys() != {"classifier"}:  # those that were not checked yet
            told = once(lambda: client.get("/health/ready"), 503)
        assert "no route to the registry" in told["reasons"]["classifier"] and told["left_out"] == {}
        turn = {"user": "ann", "text": "where is my order"}
        refused = client.post("/v1/conversations", json=turn, headers=headers)
        assert refused.status_code == 503 and "no route to the registry" in refused.json()["error"]
    assert Away.calls == 1  # requests do not wait for it again and again


def test_a_registry_that_hangs_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        one = ReleasedClassifier(Settings(home=tmp_path, mlflow_uri=uri))
        assert "the champion of nlp cannot be opened, none is open" in str(one.fault())


def test_a_champion_that_does_not_open_makes_it_unready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "champion", lambda self, family: CHAMPION)
    monkeypatch.setattr(Registry, "download", lambda self, family, version: tmp_path / "nothing")
    one = ReleasedClassifier(Settings(home=tmp_path))
    assert "the champion of nlp cannot be opened, none is open" in str(one.fault()) and one.left_out() == {}
    with pytest.raises(LookupError, match="cannot be opened"):
        one.classify(["a text"], "sentiment")

"""The text server asks for keys, bounds what it reads, names what is wrong, and counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field

from features.settings import Settings
from serving.access import keys
from serving.texts import app


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=10)


def router() -> APIRouter:
    made = APIRouter(prefix="/v1/echo")

    @made.post("")
    def echo(asked: Asked) -> Asked:
        return asked

    return made


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(app, "_routers", lambda *_: [router()])
    with TestClient(app.make_app(Settings(home=tmp_path))) as made:
        yield made


def given(tmp_path: Path, scope: keys.Scope, per_s: float = 1000.0) -> dict[str, str]:
    return {"authorization": f"Bearer {keys.make(Settings(home=tmp_path), scope, [scope], per_s)}"}


def test_only_keys_with_the_scope_are_answered(client: TestClient, tmp_path: Path) -> None:
    assert client.post("/v1/echo", json={"text": "a"}).status_code == 401
    refused = client.post("/v1/echo", json={"text": "a"}, headers=given(tmp_path, "predict"))
    assert (refused.status_code, refused.json()["error"]) == (403, "the key 'predict' has no scope 'texts'")
    answer = client.post("/v1/echo", json={"text": "a"}, headers=given(tmp_path, "texts"))
    assert (answer.status_code, answer.json()) == (200, {"text": "a"})
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 422, "body"),
        (b"{", 422, "1"),
        (b'{"text": 3}', 422, "text"),
        (b'{"text": "a", "rules": []}', 422, "rules"),
        (b'{"text": "' + b"a" * 1_000_000 + b'"}', 422, "text"),
    ],
)
def test_an_invalid_field_is_named_and_not_repeated_at_length(
    client: TestClient, tmp_path: Path, body: bytes, status: int, field: str
) -> None:
    headers = {**given(tmp_path, "texts"), "content-type": "application/json"}
    answer = client.post("/v1/echo", content=body, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert len(answer.text) < 400


def test_a_body_above_the_limit_is_refused(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/v1/echo", content=b"a" * (app.BODY_LIMIT + 1), headers=given(tmp_path, "texts"))
    assert answer.status_code == 413 and "expected at most" in answer.json()["error"]


def test_a_key_above_its_rate_waits(client: TestClient, tmp_path: Path) -> None:
    headers = given(tmp_path, "texts", 0.5)
    answers = [client.post("/v1/echo", json={"text": "a"}, headers=headers) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_requests_are_counted_by_route_and_the_document_names_the_key(client: TestClient, tmp_path: Path) -> None:
    client.post("/v1/echo", json={"text": "a"}, headers=given(tmp_path, "texts"))
    client.get("/v1/a-secret")
    counted = client.get("/metrics", headers=given(tmp_path, "metrics")).text
    assert 'adloop_text_request_seconds_count{path="/v1/echo",status="200"}' in counted and "a-secret" not in counted
    operation = client.get("/openapi.json").json()["paths"]["/v1/echo"]["post"]
    assert operation["security"] == [{"key": ["texts"]}] and set(operation["responses"]) >= {"200", "401", "422"}

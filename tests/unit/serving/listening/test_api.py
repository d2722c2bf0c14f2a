"""Posts and summaries over HTTP."""

from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.settings import Settings
from models.text.embedding import embed
from serving.listening.api import router
from tests.unit.serving.listening.heard import BRANDS, MONDAY, Vader, post


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    app = FastAPI()
    app.include_router(router(Settings(home=tmp_path), Vader(), embed))
    return TestClient(app)


@pytest.fixture
def brands(tmp_path: Path) -> Path:
    file = tmp_path / "listening" / "brands.yaml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(BRANDS.model_dump(mode="json")))
    return file


def test_posts_are_taken_once_and_told_by_brand(client: TestClient, brands: Path) -> None:
    posts = [post("Runfast shoes are great"), post("Runfast shoes are terrible", MONDAY + 1), post("")]
    first = client.post("/v1/listening/mentions", json={"mentions": posts}).json()
    assert (first["counted"], first["known"], first["alarms"]) == (2, 0, [])
    assert first["refused"] == [
        {"place": 2, "field": "text", "expected": "a text with characters that can be read", "got": "''"}
    ]
    assert client.post("/v1/listening/mentions", json={"mentions": posts}).json()["known"] == 2
    told = client.get("/v1/listening/runfast").json()
    assert (told["brand"], told["voices"], told["positive"], told["negative"]) == ("Runfast", 2, 1, 1)
    assert (told["share_of_voice"], len(told["series"])) == (1.0, 1)


def test_an_unknown_brand_is_named(client: TestClient, brands: Path) -> None:
    found = client.get("/v1/listening/nobody")
    assert found.status_code == 404
    assert "Runfast, Apple" in found.json()["detail"]


def test_a_changed_brand_list_is_read_again(client: TestClient, brands: Path) -> None:
    assert client.get("/v1/listening/other").status_code == 404
    brands.write_text("brands: [{name: Other}]")
    assert client.get("/v1/listening/other").status_code == 200


def test_without_a_brand_list_it_says_where_it_belongs(client: TestClient) -> None:
    found = client.get("/v1/listening/runfast")
    assert found.status_code == 503
    assert "ADLOOP_BRANDS" in found.json()["detail"]

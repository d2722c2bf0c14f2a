"""Content over HTTP: what the command line does, with the same refusals; odd input gets a clear answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.settings import Settings
from serving.access import keys
from serving.content import api
from serving.texts.app import make_app

SHEET = {
    "name": "Malt",
    "brand": "Birke",
    "kind": "running shoe",
    "price": "19,99 €",
    "features": ["a sole of recycled rubber", "only 210 g light"],
}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Without the language model, which takes seconds."""
    monkeypatch.setattr(api, "drafter", lambda settings: None)
    settings = Settings(home=tmp_path)
    headers = {"authorization": f"Bearer {keys.make(settings, 'shop', ['texts'], 1000)}"}
    with TestClient(make_app(settings), headers=headers) as made:
        yield made


def post(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"/v1/content/{path}", json=body)


def test_a_set_is_drafted_and_judged(client: TestClient) -> None:
    made = post(client, "drafts", sheet=SHEET, brief={"count": 3}, seed=1)
    assert made.status_code == 200, made.text
    first = made.json()["drafts"][0]
    assert {"id", "text", "audience", "benefit", "drafted_by"} <= first.keys() and "legal advice" in made.json()["note"]
    said = post(client, "feedback", id=first["id"], verdict="edit", edited="Light steps in Malt")
    assert (said.status_code, said.json()["edited"]) == (200, "Light steps in Malt")
    assert post(client, "feedback", id="nothing", verdict="accept").status_code == 404
    assert post(client, "feedback", id=first["id"], verdict="edit").status_code == 422


def test_copy_is_checked_against_the_sheet(client: TestClient) -> None:
    texts = {"google.search.headline": ["Malt for €19.99", "Malt for €18.99"]}
    good, bad = post(client, "checks", sheet=SHEET, copy=texts).json()["checked"]
    assert good["passed"] and not bad["passed"]
    assert bad["reasons"][0]["sheet"] == {"field": "price", "line": None, "says": "19.99 EUR"}
    unknown = post(client, "checks", sheet=SHEET, copy={"tv.spot": ["a"]})
    assert unknown.status_code == 422 and "google.search.headline" in unknown.json()["error"]
    listed = client.get("/v1/content/rules").json()["rules"]
    assert all(one["source"] and one["date"] for one in listed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "sheet.name"),
        ({"name": "🦝🦝🦝"}, "at least one letter"),
        ({"name": "M\u0000alt"}, "control characters"),
        ({"name": "\u202etlaM"}, "control characters"),
        ({"name": "a" * 1_000_000}, "sheet.name"),
        ({"price": 19.99}, "19,99 €"),
        ({"price": "19,99"}, "19,99 €"),
        ({"rules": ["all claims are allowed"]}, "sheet.rules"),
        ({"features": []}, "sheet.features"),
        ({"features": ["حذاء خفيف مصنوع من المطاط المعاد تدويره للجميع"]}, "got 'ar'"),
    ],
)
def test_odd_input_gets_a_clear_answer(client: TestClient, changed: dict[str, Any], said: str) -> None:
    answer = post(client, "drafts", sheet=SHEET | changed)
    assert answer.status_code == 422 and said in answer.json()["error"] and len(answer.text) < 600


@pytest.mark.parametrize(
    "text", ["", "🦝🦝🦝", "\u0000\u0001", "\u202efree", "a" * 5000, "مرحبا بالعالم حذاء خفيف جدا"]
)
def test_odd_copy_is_refused_by_a_rule(client: TestClient, text: str) -> None:
    answer = post(client, "checks", sheet=SHEET, copy={"google.search.headline": [text]})
    assert answer.status_code == 200 and not answer.json()["checked"][0]["passed"], answer.text

"""Campaigns over HTTP: who acts is the key, approvals need their own scope, and refusals say why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.settings import Settings
from serving.access import keys
from serving.access.scopes import Scope
from serving.campaigns import api
from serving.texts import app
from tests.unit.serving.campaigns.home import ROOT
from tests.unit.serving.campaigns.test_reading import EXAMPLE


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(app, "_routers", lambda *_: [])
    monkeypatch.chdir(ROOT)
    with TestClient(app.make_app(Settings(home=tmp_path))) as made:
        yield made


def given(tmp_path: Path, name: str, *scopes: Scope, accounts: list[str] | None = None) -> dict[str, str]:
    made = keys.make(Settings(home=tmp_path), name, scopes, 1000.0, accounts)
    return {"authorization": f"Bearer {made}"}


def body() -> dict[str, str]:
    return {"plan": EXAMPLE.read_text(), "why": "spring"}


def test_a_key_plans_and_another_scope_approves(client: TestClient, tmp_path: Path) -> None:
    ann, bob = given(tmp_path, "ann", "campaigns", "approve"), given(tmp_path, "bob", "approve")
    made = client.post(f"{api.PREFIX}/", json=body(), headers=ann)
    assert (made.status_code, made.json()["state"], made.json()["author"]) == (200, "draft", "ann")
    reason = {"why": "fine"}
    early = client.post(f"{api.PREFIX}/malt-spring/approve", json=reason, headers=bob)
    assert (early.status_code, "expected checked" in early.json()["error"]) == (409, True)
    own = client.post(f"{api.PREFIX}/malt-spring/approve", json=reason, headers=ann)
    assert (own.status_code, "another person approves" in own.json()["error"]) == (403, True)
    assert client.post(f"{api.PREFIX}/malt-spring/approve", json=reason).status_code == 401
    scope = client.post(f"{api.PREFIX}/malt-spring/launch", json=reason, headers=bob)
    assert (scope.status_code, scope.json()["error"]) == (403, "the key 'bob' has no scope 'campaigns'")
    launch = client.post(f"{api.PREFIX}/malt-spring/launch", json=reason, headers=ann)
    assert (launch.status_code, "is draft; expected approved" in launch.json()["error"]) == (409, True)
    shown = client.get(f"{api.PREFIX}/malt-spring", headers=ann).json()
    assert [(one["what"], one["who"]) for one in shown["events"]] == [("draft", "ann")]


def test_checks_are_told_by_name(client: TestClient, tmp_path: Path) -> None:
    ann = given(tmp_path, "ann", "campaigns")
    client.post(f"{api.PREFIX}/", json=body(), headers=ann)
    told = client.post(f"{api.PREFIX}/malt-spring/check", headers=ann).json()
    found = {one["check"]: one for one in told["verdicts"]}
    assert told["state"] == "draft" and found["platform"]["verdict"] == "fail"
    assert found["landing_page"]["said"] == "shop.example: no such host"


def test_what_is_wrong_with_a_plan_is_told_with_its_line(client: TestClient, tmp_path: Path) -> None:
    ann = given(tmp_path, "ann", "campaigns")
    wrong = body() | {"plan": EXAMPLE.read_text().replace("daily: 60", "daily: -60")}
    answer = client.post(f"{api.PREFIX}/", json=wrong, headers=ann)
    assert (answer.status_code, answer.json()["error"][:31]) == (422, "plan, line 7: budget.daily: Inp")
    assert client.get(f"{api.PREFIX}/autumn", headers=ann).status_code == 404


def test_a_key_of_an_account_sees_its_own_campaigns(client: TestClient, tmp_path: Path) -> None:
    ann = given(tmp_path, "ann", "campaigns")
    eve = given(tmp_path, "eve", "campaigns", accounts=["other"])
    client.post(f"{api.PREFIX}/", json=body(), headers=ann)
    assert len(client.get(f"{api.PREFIX}/", headers=ann).json()["campaigns"]) == 1
    assert client.get(f"{api.PREFIX}/", headers=eve).json()["campaigns"] == []
    assert client.get(f"{api.PREFIX}/malt-spring", headers=eve).status_code == 403
    assert client.post(f"{api.PREFIX}/", json=body(), headers=eve).status_code == 403


def test_a_server_without_parameters_says_so(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = client.get(f"{api.PREFIX}/", headers=given(tmp_path, "ann", "campaigns"))
    assert (answer.status_code, answer.json()["error"]) == (503, "params.yaml: this server needs it for campaigns")

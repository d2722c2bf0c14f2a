"""Texts through `adloop serve` and its Envoy: classified, drafted, answered and listened to, for those with a key."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from PIL import Image

from features.settings import Settings
from serving.access import keys
from serving.rollout import xds
from serving.rollout.envoy import Envoy
from serving.rollout.processes import free_port
from tests.toyland import local

ROOT = Path(__file__).parents[2]
SHEET = {
    "name": "Malt",
    "brand": "Birke",
    "kind": "Laufschuh",
    "price": "19,99 €",
    "features": ["Sohle aus recyceltem Gummi", "nur 210 g leicht"],
}
POST = {"text": "My new Runfast fits, I love it!", "occurred_at": time.time() - 60, "author": "jo"}
ASKED: dict[str, tuple[str, dict[str, Any] | None]] = {
    "predict": (
        "/v1/models/nlp:predict",
        {"instances": [{"text": "not bad at all", "task": "sentiment", "aspect": None}]},
    ),
    "draft": ("/v1/content/drafts", {"sheet": SHEET, "brief": {"market": "de", "count": 3}, "seed": 1}),
    "check": (
        "/v1/content/checks",
        {"sheet": SHEET, "brief": {"market": "de"}, "copy": {"google.search.headline": ["Malt wiegt nur 210 g"]}},
    ),
    "rules": ("/v1/content/rules", None),
    "turn": ("/v1/conversations", {"user": "ann", "text": "how much is the Malt"}),
    "waiting": ("/v1/conversations/waiting", None),
    "mentions": ("/v1/listening/mentions", {"mentions": [POST]}),
    "heard": ("/v1/listening/Runfast", None),
}


@dataclass(frozen=True)
class Served:
    """A running `adloop serve`, and a key of each scope."""

    url: str
    keys: dict[str, str]

    def ask(self, name: str, scope: str | None) -> httpx.Response:
        path, body = ASKED[name]
        headers = {} if scope is None else {"authorization": f"Bearer {self.keys[scope]}"}
        call = partial(local.get, f"{self.url}{path}", headers=headers, timeout=60)
        return call() if body is None else local.post(f"{self.url}{path}", json=body, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def served(texts_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    home = shutil.copytree(texts_home, folder / "home")
    products = folder / "shop" / "products"
    products.mkdir(parents=True)
    (products / "malt.yaml").write_text('{name: Malt, kind: running shoe, price: "19,99 €"}', "utf-8")
    (folder / "brands.yaml").write_text("brands: [{name: Runfast}]")
    settings = Settings(home=home, port=free_port())
    made = {scope: keys.make(settings, scope, [scope], 1000) for scope in ("predict", "texts", "images")}
    ours = {"ADLOOP_HOME": home, "ADLOOP_PORT": settings.port, "ADLOOP_SHOP": products.parent}
    ours |= {"ADLOOP_BRANDS": folder / "brands.yaml"}
    environment = {**os.environ, **{name: str(value) for name, value in ours.items()}}
    command = [sys.executable, "-m", "pipelines.cli", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            url = f"http://127.0.0.1:{settings.port}"
            assert serving.stdout.readline().strip() == f"serving nlp, decisions, texts at {url}"
            yield Served(url, made)
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.wait(60)


@pytest.mark.parametrize("name", list(ASKED))
def test_nobody_is_answered_without_a_key_of_the_scope(name: str, served: Served) -> None:
    unknown = served.ask(name, None)
    assert unknown.status_code == 401, unknown.text
    other = served.ask(name, "texts" if name == "predict" else "predict")
    assert other.status_code == 403 and "scope" in other.json()["error"]


def test_texts_are_classified(served: Served) -> None:
    answer = served.ask("predict", "predict")
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["predictions"]
    assert (found["label"], found["score"] > 0) == ("positive", True)


def test_copy_is_drafted_and_checked(served: Served) -> None:
    made = served.ask("draft", "texts")
    assert made.status_code == 200, made.text
    assert made.json()["language"] == "de" and len(made.json()["drafts"]) >= 3
    (checked,) = served.ask("check", "texts").json()["checked"]
    assert checked["passed"], checked
    assert served.ask("rules", "texts").json()["rules"]


def test_a_turn_is_answered_from_the_shop(served: Served) -> None:
    told = served.ask("turn", "texts")
    assert told.status_code == 200 and told.json()["text"] == "Malt costs 19,99 €."
    assert served.ask("waiting", "texts").json() == {"waiting": []}


def test_what_is_said_of_a_brand_is_counted_once_and_read(served: Served) -> None:
    taken = served.ask("mentions", "texts")
    assert taken.status_code == 200, taken.text
    assert (taken.json()["counted"], taken.json()["refused"]) == (1, [])
    assert served.ask("mentions", "texts").json()["known"] == 1
    heard = served.ask("heard", "texts").json()
    assert (heard["brand"], heard["mentions"], heard["positive"]) == ("Runfast", 1, 1)


def test_a_picture_larger_than_other_requests_is_checked(served: Served) -> None:
    to = io.BytesIO()
    Image.new("RGB", (600, 400)).save(to, "JPEG")
    asked, large = f"{served.url}/v1/images/check?platform=meta", to.getvalue() + bytes(xds.BODY_LIMIT)
    headers = {"authorization": f"Bearer {served.keys['images']}", "content-type": "image/jpeg"}
    answer = local.post(asked, content=large, headers=headers, timeout=120)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "warn"), answer.text
    headers["authorization"] = f"Bearer {served.keys['texts']}"
    assert local.post(asked, content=to.getvalue(), headers=headers, timeout=60).status_code == 403


def test_all_parts_are_ready_and_documented(served: Served) -> None:
    ready = local.get(f"{served.url}/health/ready", timeout=60)
    assert ready.json()["texts"] == {"ready": True, "reasons": {}, "left_out": {}}
    document = local.get(f"{served.url}/openapi.json", timeout=60).json()
    asked = {path for path, _ in ASKED.values()} | {"/v1/images/check", "/v1/images/optimise"}
    assert asked - {"/v1/listening/Runfast"} <= document["paths"].keys()


def test_a_set_may_take_longer_than_other_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xds, "TIMEOUT", "1s")

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(2)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        paths = ("/v1/content/drafts", "/v1/content/*")
        envoy = Envoy(tmp_path, "127.0.0.1", 0, dict.fromkeys(paths, server.server_port))
        try:
            found = {
                path: local.post(f"{envoy.url}{path}", timeout=30).status_code
                for path in ("/v1/content/drafts", "/v1/content/checks")
            }
        finally:
            envoy.close()
            server.shutdown()
    assert found == {"/v1/content/drafts": 200, "/v1/content/checks": 504}

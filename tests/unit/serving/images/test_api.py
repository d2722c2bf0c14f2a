"""Pictures over HTTP: as a body, a form or a URI, for those with a key, within limits."""

import base64
import io
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from features.settings import Settings
from models.image.picture import opened
from serving.access import keys
from serving.images import api
from serving.texts import app

JPEG = {"content-type": "image/jpeg"}
ASKED = {"platform": "meta", "format": "meta.link"}


def picture(width: int = 600, height: int = 400, kind: str = "JPEG") -> bytes:
    image, to = Image.new("RGB", (width, height), (180, 180, 180)), io.BytesIO()
    image.paste((0, 255, 0), (60, 60, width - 60, height - 60))
    image.save(to, kind)
    return to.getvalue()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(app, "_routers", lambda *_: [])
    settings = Settings(home=tmp_path / "home", images=str(tmp_path / "images"))
    with TestClient(app.make_app(settings)) as made:
        made.headers["authorization"] = f"Bearer {keys.make(settings, 'images', ['images'], 1000)}"
        yield made


def check(client: TestClient, **sent: Any) -> Any:
    return client.post("/v1/images/check", **{"params": ASKED, **sent})


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are opened, and nothing is looked for in them."""

    class Told:
        def __init__(self, content: bytes) -> None:
            self.told = {"width": opened(content).width}

        def as_dict(self) -> dict[str, Any]:
            return self.told

    monkeypatch.setattr(api, "preflight", lambda content, *_, **__: Told(content))


def test_the_pre_flight_tells_all_findings(client: TestClient) -> None:
    answer = check(client, content=picture(), headers=JPEG)
    assert answer.status_code == 200, answer.text
    told = {one["check"]: one["verdict"] for one in answer.json()["findings"]}
    assert (answer.json()["format"], told["ratio"], told["file type"]) == ("meta.link", "warn", "pass")


def test_an_analysis_tells_what_is_seen_and_draws_it_where_asked(client: TestClient) -> None:
    plain = client.post("/v1/images/analyse", params={"brand": "Nike"}, content=picture(), headers=JPEG)
    assert plain.status_code == 200, plain.text
    assert (plain.json()["width"], plain.json()["faces"]["count"], plain.json()["logos"]) == (600, 0, [])
    assert plain.json()["drawings"] == {}
    drawn = client.post("/v1/images/analyse", params={"draw": True}, files={"file": picture()}).json()["drawings"]
    assert {"found", "composition", "colour", "text"} <= set(drawn)
    assert opened(base64.b64decode(drawn["colour"].removeprefix("data:image/png;base64,"))).width >= 1080


def test_an_unknown_brand_and_what_is_no_picture_are_refused(client: TestClient) -> None:
    unknown = client.post("/v1/images/analyse", params={"brand": "No such brand"}, content=picture(), headers=JPEG)
    assert (unknown.status_code, "No such brand" in unknown.text) == (422, True)
    text = client.post("/v1/images/analyse", content=b"hello", headers=JPEG)
    assert (text.status_code, "got a text" in text.text) == (422, True)


def test_versions_come_with_file_and_drawing(client: TestClient) -> None:
    asked = {**ASKED, "product": "60,60,540,340"}
    answer = client.post("/v1/images/optimise", params=asked, files={"file": picture()})
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()["versions"]
    about, _, written = told["file"].partition(",")
    assert about.startswith("data:image/") and told["kept"] == 1 and told["check"]["findings"]
    made = opened(base64.b64decode(written))
    assert (made.width, made.height, made.size) == (told["width"], told["height"], told["bytes"])
    assert told["why"].startswith("data:image/png;base64,")


@pytest.mark.usefixtures("unseen")
def test_a_picture_comes_as_body_form_or_uri(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(picture(610))
    data = f"data:image/jpeg;base64,{base64.b64encode(picture()).decode()}"
    answers = [
        check(client, content=picture(), headers=JPEG),
        check(client, files={"file": picture()}),
        check(client, json={"uri": data}),
        check(client, json={"uri": f"file://{tmp_path}/images/a.jpg"}),
    ]
    assert [one.json() for one in answers] == [{"width": 600}] * 3 + [{"width": 610}]


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"content": b"a text", "headers": JPEG}, 422, "got a text"),
        ({"content": b"", "headers": JPEG}, 422, "the bytes of a picture, got none"),
        ({"content": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "headers": JPEG}, 422, "got SVG"),
        ({"content": picture()[:900], "headers": JPEG}, 422, "whole, undamaged"),
        ({"content": b"a", "headers": {"content-type": "text/html"}}, 415, "got 'text/html'"),
        ({"content": b"a"}, 415, "expected image/..."),
        ({"data": {"other": "a"}, "files": {"picture": b"a"}}, 422, "in the field 'file'"),
        ({"json": {"url": "https://a.example"}}, 422, "uri: Field required"),
        ({"json": {"uri": "file:///etc/passwd"}}, 422, "expected a file in the folder ADLOOP_IMAGES"),
        ({"json": {"uri": "http://127.0.0.1/a.png"}}, 422, "is at a private address"),
        ({"json": {"uri": "gopher://a"}}, 422, "expected a URI of https"),
        ({"content": picture(), "headers": JPEG, "params": {}}, 422, "query.platform: Field required"),
        ({"content": picture(), "headers": JPEG, "params": {"platform": "myspace"}}, 422, "platform: Input should be"),
        ({"content": picture(), "params": {**ASKED, "format": "meta.round"}}, 422, "format: expected one of"),
        ({"content": picture(), "params": {**ASKED, "platform": "linkedin"}}, 422, "is of meta, not of linkedin"),
        ({"content": picture(), "params": {**ASKED, "product": "1,2,3"}}, 422, "product"),
        ({"content": picture(), "params": {**ASKED, "product": "5,5,1,1"}}, 422, "with an area"),
        ({"content": picture(), "params": {**ASKED, "brand": "no such brand"}}, 422, "brand: expected a name"),
    ],
)
def test_what_is_wrong_is_named(client: TestClient, sent: dict[str, Any], status: int, said: str) -> None:
    answer = check(client, **sent)
    assert answer.status_code == status and said in answer.json()["error"], answer.text


@pytest.mark.usefixtures("unseen")
def test_pictures_may_be_larger_than_texts_with_a_key_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    large = picture() + bytes(app.BODY_LIMIT)
    assert check(client, content=large, headers=JPEG).status_code == 200
    unknown = {**JPEG, "authorization": "Bearer none"}
    assert check(client, content=large, headers=unknown).status_code == 413
    other = keys.make(Settings(home=tmp_path / "home"), "texts", ["texts"], 1000)
    assert check(client, content=large, headers={**JPEG, "authorization": f"Bearer {other}"}).status_code == 413
    assert check(client, content=picture(), headers={**JPEG, "authorization": f"Bearer {other}"}).status_code == 403
    monkeypatch.setattr(api, "MOST_BYTES", 1000)
    refused = check(client, content=large, headers=JPEG)
    assert refused.status_code == 413 and "at most 1,000 bytes" in refused.json()["error"]


@pytest.mark.usefixtures("unseen")
def test_too_many_pixels_are_refused_by_the_header(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_PIXELS", 1000)
    answer = check(client, content=picture(), headers=JPEG)
    assert answer.status_code == 422 and "expected at most 1,000 pixels, got 600 by 400" in answer.json()["error"]


def test_few_pictures_are_looked_at_beside_each_other_and_few_wait(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at, go = threading.Semaphore(0), threading.Event()

    def slow(*_: object, **__: object) -> Any:
        looked_at.release()
        assert go.wait(60)
        raise api.InvalidPicture("a picture", "none")

    monkeypatch.setattr(api, "preflight", slow)
    monkeypatch.setattr(api, "WAITING", 1)
    found = queue.Queue[Any]()
    asking = [
        threading.Thread(target=lambda: found.put(check(client, content=picture(), headers=JPEG)))
        for _ in range(api.AT_ONCE + 2)
    ]
    for one in asking:
        one.start()
    refused = found.get(timeout=30)  # the one too many, while all others wait
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert client.get("/health/live").status_code == 200, "the event loop is free"
    assert [looked_at.acquire(timeout=30) for _ in range(api.AT_ONCE)] == [True] * api.AT_ONCE
    assert not looked_at.acquire(blocking=False)
    go.set()
    assert [found.get(timeout=30).status_code for _ in asking[1:]] == [422] * (api.AT_ONCE + 1)
    for one in asking:
        one.join(30)


def test_the_routes_are_documented(client: TestClient) -> None:
    told = client.get("/openapi.json").json()["paths"]
    for path in ("/v1/images/check", "/v1/images/optimise"):
        post = told[path]["post"]
        assert post["security"] == [{"key": ["images"]}]
        assert {"image/jpeg", "multipart/form-data", "application/json"} <= post["requestBody"]["content"].keys()
        assert {"413", "415", "422", "503"} <= post["responses"].keys()

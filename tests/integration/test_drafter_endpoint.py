"""Copy is drafted by an endpoint that speaks OpenAI's chat completions; where it fails, templates take over."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from features.settings import Settings
from serving.content.draft import Content
from serving.content.drafters import DrafterAway, DraftingTask, endpoint
from serving.content.drafters.endpoint import EndpointDrafter
from serving.content.feedback import SqliteFeedback
from serving.content.sheet import Brief, Sheet
from serving.rollout.processes import free_port

SHEET = Sheet(name="Malt", brand="Birke", kind="running shoe", features=("only 210 g light", "30 days to return"))
TASK = DraftingTask("google.search.headline", 30, SHEET, Brief(), "city runners", "only 210 g light")

Answer = Callable[[dict[str, Any]], tuple[int, bytes]]


class Asked(list[tuple[dict[str, str], dict[str, Any]]]):
    """Headers and body of each request."""

    url = ""


def says(*texts: str) -> Answer:
    content = json.dumps({"texts": texts})
    whole = {"id": "c", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": content}}]}
    return lambda body: (200, json.dumps(whole).encode())


@contextmanager
def answering(answer: Answer) -> Iterator[Asked]:
    """A server on this machine, and what it was asked."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            assert self.path == "/v1/chat/completions"
            status, content = answer(body)
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        asked.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield asked
        server.shutdown()
        thread.join()


def drafter(url: str, tmp_path: Path, **more: Any) -> EndpointDrafter:
    return EndpointDrafter(Settings(home=tmp_path, drafter_url=url, drafter_model="small", **more))


def test_it_asks_with_its_key_for_texts_of_a_length_and_by_a_seed(tmp_path: Path) -> None:
    with answering(says("Light steps", "Light steps", "Run lighter")) as asked:
        found = drafter(asked.url, tmp_path, drafter_key="a-key").draft(TASK, 3, 7)
    assert found == ["Light steps", "Run lighter"]
    ((headers, body),) = asked
    assert headers["authorization"] == "Bearer a-key" and (body["model"], body["seed"]) == ("small", 7)
    assert [one["role"] for one in body["messages"]] == ["system", "user"]
    texts = body["response_format"]["json_schema"]["schema"]["properties"]["texts"]
    assert (texts["maxItems"], texts["items"]["maxLength"]) == (3, 30)


def test_without_a_key_none_is_sent(tmp_path: Path) -> None:
    with answering(says("Light steps")) as asked:
        drafter(asked.url, tmp_path).draft(TASK, 1, 0)
    assert "authorization" not in asked[0][0]


@pytest.mark.parametrize(
    "answer",
    [
        lambda body: (500, b"{}"),
        lambda body: (401, b'{"error": "no such key"}'),
        lambda body: (200, b"<html>"),
        lambda body: (200, b'{"choices": []}'),
        lambda body: (200, b'{"choices": [{"message": null}]}'),
        lambda body: (200, b"[]"),
        lambda body: time.sleep(1.5) or (200, b"{}"),
    ],
    ids=["error", "refused", "page", "empty", "null", "list", "slow"],
)
def test_an_endpoint_that_fails_is_away_and_not_asked_again_at_once(
    answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_S", 0.5)
    with answering(answer) as asked:
        one = drafter(asked.url, tmp_path, drafter_key="a-key")
        for _ in range(3):
            with pytest.raises(DrafterAway) as away:
                one.draft(TASK, 1, 0)
            assert "a-key" not in str(away.value)
        assert len(asked) == 1
        monkeypatch.setattr(endpoint, "AGAIN_S", 0.0)
        one = drafter(asked.url, tmp_path)
        for _ in range(2):
            with pytest.raises(DrafterAway):
                one.draft(TASK, 1, 0)
        assert len(asked) == 3


def test_an_answer_that_was_cut_off_gives_its_whole_texts(tmp_path: Path) -> None:
    cut = {"choices": [{"message": {"content": '{"texts": ["Light steps", "Run li'}}]}
    with answering(lambda body: (200, json.dumps(cut).encode())) as asked:
        assert drafter(asked.url, tmp_path).draft(TASK, 2, 0) == ["Light steps"]


def test_a_set_has_what_the_endpoint_drafts_and_passes_and_templates_for_the_rest(tmp_path: Path) -> None:
    with answering(says("Light steps in the city", "Malt cures sore feet")) as asked:
        one = drafter(asked.url, tmp_path)
        made = Content(one, None, SqliteFeedback(tmp_path / "feedback.db")).draft(SHEET, Brief(count=3))
    written = {draft.text for draft in made.drafts if draft.drafted_by == one.name}
    assert "Light steps in the city" in written and "Malt cures sore feet" not in written
    assert "Malt cures sore feet" in {refused.text for refused in made.refused}
    assert 0 < made.as_dict()["from_templates"] < 1


def test_without_an_endpoint_templates_draft_the_set(tmp_path: Path) -> None:
    one = drafter(f"http://127.0.0.1:{free_port()}/v1", tmp_path)
    made = Content(one, None, SqliteFeedback(tmp_path / "feedback.db")).draft(SHEET, Brief(count=3))
    assert made.drafts and made.as_dict()["from_templates"] == 1.0

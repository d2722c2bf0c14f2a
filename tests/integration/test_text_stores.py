"""Conversations and verdicts on copy are kept alike in SQLite and in Redis, by several users and servers at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from features.settings import Settings
from serving.content import feedback as verdicts
from serving.content.feedback import CopyFeedback, Made, RedisFeedback, SqliteFeedback, UnknownDraft, feedback
from serving.conversations import store as conversations
from serving.conversations.assistant import Assistant
from serving.conversations.shop import Shop
from serving.conversations.store import ConversationStore, RedisConversations, SqliteConversations, store
from serving.conversations.understanding import NoClassifier, TurnAnswer
from tests.integration.servers import Server

DAYS = 30


@pytest.fixture(params=["sqlite", "redis"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(home=tmp_path)
    server: Server = request.getfixturevalue("redis_server")
    return Settings(home=tmp_path, redis_url=f"redis://127.0.0.1:{server.port}/0")


@pytest.fixture
def kept(settings: Settings) -> ConversationStore:
    found = store(settings, DAYS)
    assert isinstance(found, SqliteConversations if settings.redis_url is None else RedisConversations)
    return found


@pytest.fixture
def said(settings: Settings) -> CopyFeedback:
    found = feedback(settings)
    assert isinstance(found, SqliteFeedback if settings.redis_url is None else RedisFeedback)
    return found


def at_once(call: Callable[[str], object], *arguments: str) -> list[object]:
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(call, arguments))


def test_a_conversation_is_replaced_by_who_read_it_last(kept: ConversationStore) -> None:
    assert kept.load("ann") == (None, 0)
    assert kept.save("ann", "hällo", 0)
    assert kept.load("ann") == ("hällo", 1) and kept.load("bob") == (None, 0)
    assert not kept.save("ann", "another first turn", 0)
    assert kept.save("ann", "more", 1) and not kept.save("ann", "a turn twice", 1)
    assert kept.load("ann") == ("more", 2)


def test_of_two_turns_at_once_one_is_saved(kept: ConversationStore) -> None:
    for version in range(20):
        done = at_once(partial(kept.save, "ann", version=version), *"abcd")
        assert sorted(map(bool, done)) == [False, False, False, True]
        assert kept.load("ann")[1] == version + 1


def test_conversations_are_kept_by_id_in_order(kept: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept.kept("one") is None and list(kept.every()) == []
    for name in ("one", "two", "three"):
        kept.keep(name, f"text of {name}", 1)
        time.sleep(0.01)
    kept.keep("one", "changed", 3)
    kept.keep("one", "an earlier version that comes late", 2)
    assert kept.kept("one") == "changed" and list(kept.every()) == ["changed", "text of two", "text of three"]
    monkeypatch.setattr(conversations, "MOST", 2)
    kept.keep("four", "text of four", 1)
    assert list(kept.every()) == ["text of three", "text of four"]


def test_what_is_silent_for_long_is_forgotten(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "DAY", 1)
    short = store(settings, 1)
    assert short.save("ann", "hello", 0)
    short.keep("one", "hello", 1)
    time.sleep(1.2)
    assert short.load("ann") == (None, 0)
    short.keep("two", "later", 1)
    assert short.kept("one") is None and list(short.every()) == ["later"]
    assert short.save("ann", "again", 0) and short.load("ann") == ("again", 1)


class NoAnswers:
    """Not needed: who asks for a person is understood without a classifier."""

    def classify(self, texts: object, task: str) -> list[TurnAnswer]:
        raise NoClassifier("no classifier of texts is released")


def test_two_users_at_once_lose_no_turn_and_never_mix(settings: Settings) -> None:
    replicas = [Assistant(store(settings, DAYS), NoAnswers(), Shop((), {})) for _ in range(3)]

    def talk(user: str) -> None:
        for one in replicas:
            one.say(user, f"a human, please, for {user}")

    at_once(talk, *["ann", "bob"] * 4)
    for user, other in (("ann", "bob"), ("bob", "ann")):
        (found,) = (text for text in store(settings, DAYS).every() if f'"user":"{user}"' in text)
        assert '"count":12,' in found and f"for {user}" in found and f"for {other}" not in found


def test_a_verdict_replaces_the_one_before_and_is_of_a_known_draft(said: CopyFeedback) -> None:
    said.made(Made(str(place), "Birke" if place < 3 else "Ahorn", "headline", f"text {place}") for place in range(4))
    assert said.of("Birke") == []
    for draft in ("0", "1", "3"):
        said.say(draft, "accept", None, "write to ann@example.com")
    changed = said.say("0", "edit", "a better text", None)
    assert [(one.id, one.verdict) for one in said.of("Birke")] == [("1", "accept"), ("0", "edit")]
    assert said.of("Birke")[1] == changed and said.of("Birke")[0].reason == "write to [email]"
    assert [one.id for one in said.of("Ahorn")] == ["3"]
    with pytest.raises(UnknownDraft, match="no draft has the id 'none'"):
        said.say("none", "accept", None, None)


def test_verdicts_at_once_leave_one_of_a_draft(said: CopyFeedback) -> None:
    said.made(Made(str(place), "Birke", "headline", f"text {place}") for place in range(4))
    for verdict in ("accept", "reject") * 5:
        at_once(partial(said.say, verdict=verdict, edited=None, reason=None), *"0123" * 3)
        assert sorted((one.id, one.verdict) for one in said.of("Birke")) == [(each, verdict) for each in "0123"]


def test_verdicts_are_bounded_and_drafts_wait_for_one_only_so_long(
    said: CopyFeedback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "KEPT", 2)
    monkeypatch.setattr(verdicts, "WAITS_S", 1)
    said.made(Made(str(place), "Birke", "headline", f"text {place}") for place in range(3))
    for place in range(3):
        said.say(str(place), "accept", None, None)
    assert [one.id for one in said.of("Birke")] == ["1", "2"]
    time.sleep(2.1)
    said.made([Made("new", "Birke", "headline", "text")])
    with pytest.raises(UnknownDraft):
        said.say("0", "reject", None, None)
    said.say("new", "accept", None, None)


def test_a_redis_that_is_away_is_said(redis_server: Server, tmp_path: Path) -> None:
    import redis

    here = store(Settings(home=tmp_path, redis_url=f"redis://127.0.0.1:{redis_server.port}/0"), DAYS)
    assert here.save("ann", "hello", 0)
    redis_server.stop()
    with pytest.raises(redis.RedisError):
        here.load("ann")
    redis_server.start()
    assert here.load("ann") == ("hello", 1)

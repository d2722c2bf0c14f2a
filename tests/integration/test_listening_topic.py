"""Posts over the Kafka protocol, spoken by librdkafka's own mock cluster: each is counted, none twice."""

import json
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from features.settings import Settings
from serving.listening import topic
from serving.listening.topic import TopicUnavailable, messages
from serving.rollout.processes import free_port


@pytest.fixture
def producer() -> Iterator[Producer]:
    made = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    yield made
    made.flush(10)


@pytest.fixture
def url(producer: Producer) -> str:
    brokers = ",".join(f"{one.host}:{one.port}" for one in producer.list_topics(timeout=30).brokers.values())
    return f"kafka://{brokers}/posts"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # The mock forgets a reader that left only when its session is over.
    (tmp_path / "kafka.properties").write_text("session.timeout.ms=4000\nheartbeat.interval.ms=500\n")
    return Settings(home=tmp_path, kafka_config=tmp_path / "kafka.properties")


def send(producer: Producer, *values: bytes | None) -> None:
    for value in values:
        producer.produce("posts", value)
    assert producer.flush(30) == 0


def post(number: int) -> bytes:
    return json.dumps({"text": f"Runfast {number}", "occurred_at": number}).encode()


def rows(batches: Iterator[Any]) -> list[Any]:
    return list(chain.from_iterable(batch.rows for batch in batches))


def test_a_topic_is_read_to_its_end_and_on_from_there(producer: Producer, url: str, settings: Settings) -> None:
    send(producer, *map(post, range(30)))
    batches = list(messages(url, settings, 10, follow=False))
    assert sorted(row["occurred_at"] for batch in batches for row in batch.rows) == list(range(30))
    assert max(len(batch.rows) for batch in batches) <= 10
    send(producer, post(30))
    assert [row["text"] for row in rows(messages(url, settings, 10, follow=False))] == ["Runfast 30"]


def test_what_was_not_counted_is_read_again(producer: Producer, url: str, settings: Settings) -> None:
    send(producer, *map(post, range(4)))
    reading = messages(url, settings, 1, follow=True)
    first, second = rows(islice(reading, 2))
    reading.close()  # as a listener that dies while it counts the second
    again = [row["occurred_at"] for row in rows(messages(url, settings, 10, follow=False))]
    assert first["occurred_at"] not in again and second["occurred_at"] in again and len(again) == 3


def test_what_is_no_json_is_refused_and_not_lost(producer: Producer, url: str, settings: Settings) -> None:
    send(producer, b"no json " * 100, None, b"\xff\xfe", post(1))
    found = rows(messages(url, settings, 10, follow=False))
    assert sum(isinstance(row, dict) for row in found) == 1 and len(found) == 4
    assert max(len(row) for row in found if isinstance(row, str)) == 80


@pytest.mark.parametrize("wrong", ["kafka://localhost:9092", "kafka:///posts", "kafka://"])
def test_an_address_without_a_topic_is_refused(wrong: str, settings: Settings) -> None:
    with pytest.raises(ValueError, match="expected kafka://host:port"):
        next(messages(wrong, settings, 10, follow=False))


@pytest.mark.parametrize("brokers", ["one:1", "one:1,two:2", "[::1]:1,[::2]:2", "one:1,[::2]:2"])
def test_brokers_and_topic_are_read_from_an_address(brokers: str) -> None:
    assert topic._parts(f"kafka://{brokers}/posts") == (brokers, "posts")


def test_brokers_that_are_away_are_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic, "BROKERS_S", 1.0)
    address = f"kafka://127.0.0.1:{free_port()}/posts"
    with pytest.raises(TopicUnavailable, match=address):
        next(messages(address, settings, 10, follow=False))

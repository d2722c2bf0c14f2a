"""Reads mentions from a Kafka topic: offsets are committed once the posts are counted, so none is lost."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson

from features.settings import Settings
from serving.kafka_settings import read
from serving.listening.files import Batch

#: Group of consumers, and seconds to wait for the first message and for further ones.
GROUP, BROKERS_S, QUIET_S = "adloop.listening", 30.0, 5.0


class TopicUnavailable(RuntimeError):
    """The brokers do not answer, or the topic is not there."""


def messages(url: str, settings: Settings, size: int, follow: bool) -> Iterator[Batch]:
    """Yield the messages of `kafka://host:port,.../topic` in batches; each is committed when the next one is asked for.

    Args:
        follow: wait for further messages for ever; else stop once no message has come for `QUIET_S`.

    Raises `TopicUnavailable`, and `ValueError` for an address that names no topic.
    """
    from confluent_kafka import Consumer, KafkaException

    brokers, topic = _parts(url)
    given = {**read(settings.kafka_config), "bootstrap.servers": brokers, "group.id": GROUP}
    consumer = Consumer({**given, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    try:
        _check(consumer.list_topics(topic, BROKERS_S).topics[topic].error)
        consumer.subscribe([topic])
        wait = BROKERS_S  # joining the group takes longer than a message
        while found := _next(consumer, size, wait, follow):
            yield Batch([_row(one) for one in found], "")
            consumer.commit(asynchronous=False)
            wait = QUIET_S
    except KafkaException as away:
        raise TopicUnavailable(f"{url}: {away.args[0]}") from away
    finally:
        consumer.close()


def _next(consumer: Any, size: int, wait: float, follow: bool) -> list[Any]:
    """The next messages; none when it is quiet and not followed."""
    while True:
        first = consumer.poll(wait)
        if first is not None:
            _check(first.error())
            rest = consumer.consume(size - 1, 0) if size > 1 else []
            for one in rest:
                _check(one.error())
            return [first, *rest]
        if not follow:
            return []


def _check(error: Any) -> None:
    from confluent_kafka import KafkaException

    if error is not None:
        raise KafkaException(error)


def _parts(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic:
        raise ValueError(f"expected kafka://host:port,.../topic, got {url}")
    return parts.netloc, topic


def _row(message: Any) -> Any:
    """The value of a message; its beginning as text where it is no JSON, which is refused as no object."""
    value = message.value() or b""
    try:
        return orjson.loads(value)
    except ValueError:
        return value[:80].decode("utf-8", "replace")

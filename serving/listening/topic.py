"""Reads mentions from a Kafka topic: offsets are committed once the posts are counted, so none is lost."""

from collections.abc import Iterator
from typing import Any

import orjson

from features.settings import Settings
from serving.kafka_settings import read
from serving.listening.files import Batch

#: Group of consumers, and seconds to wait for a message, or for a partition to tell that there is none.
GROUP, BROKERS_S = "adloop.listening", 30.0


class TopicUnavailable(RuntimeError):
    """The brokers do not answer, or the topic is not there."""


def messages(url: str, settings: Settings, size: int, follow: bool) -> Iterator[Batch]:
    """Yield the messages of `kafka://host:port,.../topic` in batches; each is committed when the next one is asked for.

    Args:
        follow: wait for further messages for ever; else stop at the ends of all partitions.

    Raises `TopicUnavailable`, and `ValueError` for an address that names no topic.
    """
    from confluent_kafka import Consumer, KafkaException

    brokers, topic = _parts(url)
    given = {**read(settings.kafka_config), "bootstrap.servers": brokers, "group.id": GROUP}
    by_hand = {"enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    consumer = Consumer({**given, **by_hand})
    try:
        _check(consumer.list_topics(topic, BROKERS_S).topics[topic].error)
        consumer.subscribe([topic])
        ended = set[int]()
        while found := _next(consumer, size, follow, ended):
            yield Batch([_row(one) for one in found], "")
            consumer.commit(asynchronous=False)
    except KafkaException as away:
        raise TopicUnavailable(f"{url}: {away.args[0]}") from away
    finally:
        consumer.close()


def _next(consumer: Any, size: int, follow: bool, ended: set[int]) -> list[Any]:
    """The next messages; none where all are read and not followed. `ended` are the partitions read to their end."""
    while True:
        first = consumer.poll(BROKERS_S)
        come = [] if first is None else [first, *(consumer.consume(size - 1, 0) if size > 1 else [])]
        found = [one for one in come if not _ends(one, ended)]
        if found:
            return found
        if not follow and (first is None or ended.issuperset(one.partition for one in consumer.assignment())):
            return []


def _ends(message: Any, ended: set[int]) -> bool:
    """Whether this tells that its partition is read to the end, and is no message."""
    from confluent_kafka import KafkaError

    error = message.error()
    if error is not None and error.code() == KafkaError._PARTITION_EOF:
        ended.add(message.partition())
        return True
    _check(error)
    ended.discard(message.partition())
    return False


def _check(error: Any) -> None:
    from confluent_kafka import KafkaException

    if error is not None:
        raise KafkaException(error)


def _parts(url: str) -> tuple[str, str]:
    brokers, _, path = url.partition("://")[2].partition("/")
    topic = path.strip("/")
    if not brokers or not topic:
        raise ValueError(f"expected kafka://host:port,.../topic, got {url}")
    return brokers, topic


def _row(message: Any) -> Any:
    """The value of a message; its beginning as text where it is no JSON, which is refused as no object."""
    value = message.value() or b""
    try:
        return orjson.loads(value)
    except ValueError:
        return value[:80].decode("utf-8", "replace")

"""Outcomes from a Kafka topic: read at least once, counted once.

A message has the format of `POST /v1/outcomes`. Its offset is committed once its outcomes are on disk, or once it is in
the dead-letter topic because it is invalid or dated in the future. A failure before that (disk, brokers) commits
nothing: after a pause the topic is read again from the last commit, and `Feedback` ignores events that it knows.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any, Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from features.settings import Settings
from serving import kafka_settings
from serving.decisions.api import requests
from serving.decisions.api.requests import Invalid, NotJson, Outcome
from serving.decisions.api.schemas import BATCH
from serving.decisions.feedback import Status
from serving.decisions.metrics import FAULTS, MESSAGES, READING

log = logging.getLogger("adloop.decisions")

#: Most messages that are taken and committed together.
GROUP = 100
#: Seconds to wait for the next message, for the brokers, and before the topic is read again after a failure.
POLL_S, ANSWER_S, PAUSE_S = 1.0, 10.0, 5.0


class KafkaFeedback:
    """A thread that reads a topic until it is closed.

    Args:
        take: accepts outcomes durably; may receive one again.

    Raises:
        ValueError: the file with librdkafka settings is unreadable, or contains an unknown setting.
    """

    def __init__(self, settings: Settings, take: Callable[[Sequence[Outcome]], Sequence[Status]]) -> None:
        self._take, self._topic, self._dead = take, settings.kafka_topic, settings.kafka_dead_letters
        self._reach = {**kafka_settings.read(settings.kafka_config), "bootstrap.servers": settings.kafka_brokers}
        self._group, self._stop, self._reading = settings.kafka_group, Event(), False
        try:
            self._consumer = self._opened()
        except KafkaException as error:
            raise ValueError(f"ADLOOP_KAFKA_CONFIG: {error}") from error
        self._thread = Thread(target=self._run, name="kafka", daemon=True)
        self._thread.start()

    @property
    def standing(self) -> Literal["reading", "away"]:
        """`reading`, or `away` while the brokers or the disk are unavailable."""
        return "reading" if self._reading else "away"

    def close(self) -> None:
        """Finish the current batch and stop."""
        self._stop.set()
        self._thread.join()

    def _opened(self) -> Consumer:
        ours = {"group.id": self._group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        return Consumer({**self._reach, **ours}, logger=log)

    def _run(self) -> None:
        while True:
            try:
                self._read()
            except Exception as broken:  # nothing is committed, so the batch is read again
                self._says(False)
                FAULTS["kafka"].inc()
                log.warning("the topic %s is read again in %g s: %s", self._topic, PAUSE_S, broken)
            self._consumer.close()
            if self._stop.wait(PAUSE_S):
                return
            self._consumer = self._opened()

    def _read(self) -> None:
        self._consumer.subscribe([self._topic])
        while not self._stop.is_set():
            first = self._consumer.poll(POLL_S)
            if first is None:
                self._check_brokers()
                continue
            # Messages that arrived meanwhile join the batch, so batches grow with load.
            self._work([first, *self._consumer.consume(GROUP - 1, 0)])
            self._consumer.commit(asynchronous=False)
            self._says(True)

    def _check_brokers(self) -> None:
        """Request the topic's metadata while it is idle: a quiet topic and lost brokers look alike."""
        error = self._consumer.list_topics(self._topic, ANSWER_S).topics[self._topic].error
        if error is not None:
            raise KafkaException(error)
        self._says(True)

    def _work(self, messages: Sequence[Message]) -> None:
        events: list[tuple[Message, Outcome]] = []
        dead: list[tuple[Message, str]] = []
        ahead: dict[Message, None] = {}
        for message in messages:
            if (error := message.error()) is not None:
                raise KafkaException(error)
            try:
                events += ((message, one) for one in requests.outcomes(requests.parsed(message.value() or b"")))
            except (NotJson, Invalid) as invalid:
                dead.append((message, str(invalid)))
        for start in range(0, len(events), BATCH):
            part = events[start : start + BATCH]
            statuses = self._take([one for _, one in part])
            ahead |= {message: None for (message, _), status in zip(part, statuses, strict=True) if status == "ahead"}
        dead += ((message, "an event is dated in the future") for message in ahead)
        if dead:
            self._to_dead_letters(dead)
        MESSAGES["taken"].inc(len(messages) - len(dead))
        MESSAGES["dead"].inc(len(dead))

    def _to_dead_letters(self, dead: Sequence[tuple[Message, str]]) -> None:
        """Copy invalid messages to the dead-letter topic, with the reason and their offset in the headers."""
        # The brokers have their own limit of the size.
        limits = {"message.timeout.ms": int(ANSWER_S * 1000), "message.max.bytes": 1_000_000_000}
        producer, lost = Producer({**self._reach, **limits}, logger=log), list[KafkaError]()

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                lost.append(error)

        for message, why in dead:
            place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
            added = [(f"adloop.{name}", str(value).encode()) for name, value in {"reason": why, **place}.items()]
            headers: list[Any] = [*(message.headers() or []), *added]
            producer.produce(self._dead, message.value(), message.key(), headers=headers, on_delivery=delivered)
        producer.flush()
        if lost:
            raise KafkaException(lost[0])

    def _says(self, reading: bool) -> None:
        self._reading = reading
        READING.set(reading)

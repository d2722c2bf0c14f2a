"""Outcomes from a Kafka topic, for those who have a bus: read at least once, counted once.

A message is what `POST /v1/outcomes` takes. Its offset is committed when its outcomes are on disk, or when it is in the
dead-letter topic because it holds none, or one that is dated ahead and was not accepted. Whatever fails before that
(disk, brokers) commits nothing: after a pause the topic is read again from where it was committed, and `Feedback` knows
each event by its id.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from features.settings import Settings
from serving.decisions.api import requests
from serving.decisions.api.requests import Invalid, NotJson, Outcome
from serving.decisions.api.schemas import BATCH
from serving.decisions.feedback import Status
from serving.decisions.metrics import FAULTS, MESSAGES, READING

log = logging.getLogger("adloop.decisions")

#: Messages that are taken and committed together, at most.
GROUP = 100
#: Seconds to wait for the next message, for brokers to answer, and after a failure before the topic is read again.
POLL_S, ANSWER_S, PAUSE_S = 1.0, 10.0, 5.0


class KafkaFeedback:
    """A thread that reads a topic until it is closed.

    Args:
        take: accepts events for good, and may be told one again.

    Raises:
        ValueError: where the file of further settings cannot be read, or names one that there is not.
    """

    def __init__(self, settings: Settings, take: Callable[[Sequence[Outcome]], Sequence[Status]]) -> None:
        self._take, self._topic, self._dead = take, settings.kafka_topic, settings.kafka_dead_letters
        self._reach = {**_further(settings.kafka_config), "bootstrap.servers": settings.kafka_brokers}
        self._group, self._stop, self._reading = settings.kafka_group, Event(), False
        try:
            self._consumer = self._opened()
        except KafkaException as wrong:
            raise ValueError(f"ADLOOP_KAFKA_CONFIG: {wrong}") from wrong
        self._thread = Thread(target=self._run, name="kafka", daemon=True)
        self._thread.start()

    @property
    def standing(self) -> Literal["reading", "away"]:
        """Whether the topic is read, or its brokers (or the disk that events go to) are away."""
        return "reading" if self._reading else "away"

    def close(self) -> None:
        """Finish the group in hand and end."""
        self._stop.set()
        self._thread.join()

    def _opened(self) -> Consumer:
        ours = {"group.id": self._group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        return Consumer({**self._reach, **ours}, logger=log)

    def _run(self) -> None:
        while True:
            try:
                self._read()
            except Exception as broken:  # whatever it is, nothing is committed, and the next time it may go well
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
                self._look()
                continue
            # What came meanwhile is of the same group: load makes larger ones by itself.
            self._work([first, *self._consumer.consume(GROUP - 1, 0)])
            self._consumer.commit(asynchronous=False)
            self._says(True)

    def _look(self) -> None:
        """Ask for the topic while nothing comes: silence alone does not tell a quiet bus from one that is away."""
        wrong = self._consumer.list_topics(self._topic, ANSWER_S).topics[self._topic].error
        if wrong is not None:
            raise KafkaException(wrong)
        self._says(True)

    def _work(self, messages: Sequence[Message]) -> None:
        events: list[tuple[Message, Outcome]] = []
        dead: list[tuple[Message, str]] = []
        ahead: dict[Message, None] = {}
        for message in messages:
            if (wrong := message.error()) is not None:
                raise KafkaException(wrong)
            try:
                events += ((message, one) for one in requests.outcomes(requests.parsed(message.value() or b"")))
            except (NotJson, Invalid) as invalid:
                dead.append((message, str(invalid)))
        for start in range(0, len(events), BATCH):
            part = events[start : start + BATCH]
            statuses = self._take([one for _, one in part])
            ahead |= {message: None for (message, _), status in zip(part, statuses, strict=True) if status == "ahead"}
        dead += ((message, "it holds an event that is dated ahead of the clock") for message in ahead)
        if dead:
            self._bury(dead)
        MESSAGES["taken"].inc(len(messages) - len(dead))
        MESSAGES["dead"].inc(len(dead))

    def _bury(self, dead: Sequence[tuple[Message, str]]) -> None:
        """Keep messages that hold no events in the dead-letter topic, as they came, with the reason and their place."""
        limits = {"message.timeout.ms": int(ANSWER_S * 1000), "message.max.bytes": 1_000_000_000}  # brokers know theirs
        producer, lost = Producer({**self._reach, **limits}, logger=log), list[KafkaError]()

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                lost.append(error)

        for message, why in dead:
            place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
            told = [(f"adloop.{name}", str(value).encode()) for name, value in {"reason": why, **place}.items()]
            headers = [*(message.headers() or []), *told]
            producer.produce(self._dead, message.value(), message.key(), headers=headers, on_delivery=delivered)
        producer.flush()
        if lost:
            raise KafkaException(lost[0])

    def _says(self, reading: bool) -> None:
        self._reading = reading
        READING.set(reading)


def _further(file: Path | None) -> dict[str, str]:
    """Settings of librdkafka from a file of `name=value` lines; lines that begin with # are comments."""
    found: dict[str, str] = {}
    if file is None:
        return found
    try:
        lines = file.read_text().splitlines()
    except OSError as missing:
        raise ValueError(f"ADLOOP_KAFKA_CONFIG: {missing}") from missing
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:  # the line may hold a secret: it is not repeated
                raise ValueError(f"ADLOOP_KAFKA_CONFIG: {file}, line {number}: expected name=value")
            found[name.strip()] = value.strip()
    return found

"""Events over the Kafka protocol, spoken by librdkafka's own mock cluster: none lost, none counted twice."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from features.settings import Settings
from serving.access import keys
from serving.decisions.api import kafka
from serving.decisions.api.kafka import KafkaFeedback
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.records import Counters
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings
from tests.integration.conftest import Server, free_ports
from tests.toyland import local
from tests.unit.serving.decisions.logged import PARAMS, lines
from tests.unit.serving.decisions.told import counters, entry, observed, opened

ROOT = Path(__file__).parents[2]


@dataclass
class Cluster:
    """Brokers in this process, and the settings of an endpoint that reads them."""

    producer: Producer
    settings: Settings

    def send(self, *values: bytes | None, **more: Any) -> None:
        for value in values:
            self.producer.produce(self.settings.kafka_topic, value, **more)
        assert self.producer.flush(30) == 0

    def tell(self, events: Sequence[Observed]) -> None:
        """One message an event."""
        self.send(*(json.dumps(asdict(one)).encode() for one in events))

    def dead(self, count: int) -> list[Message]:
        """So many messages of the dead-letter topic."""
        reach = {"bootstrap.servers": self.settings.kafka_brokers, "group.id": "mourner"}
        reader = Consumer({**reach, "auto.offset.reset": "earliest"})
        reader.subscribe([self.settings.kafka_dead_letters])
        found: list[Message] = []
        wait(lambda: len(found) >= count, lambda: found.extend(m for m in reader.consume(10, 0.5) if not m.error()))
        reader.close()
        return found


def wait(done: Callable[[], bool], meanwhile: Callable[[], object] = lambda: time.sleep(0.05)) -> None:
    """Until it is so. Fails where that takes too long."""
    until = time.monotonic() + 40
    while not done():
        assert time.monotonic() < until, "waited in vain"
        meanwhile()


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    # The mock forgets a reader that left only when its session is over.
    (tmp_path / "kafka.properties").write_text("# for a test\nsession.timeout.ms = 4000\n\nheartbeat.interval.ms=500\n")
    monkeypatch.setattr(kafka, "PAUSE_S", 0.2)
    producer = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    found = producer.list_topics(timeout=30).brokers.values()
    brokers = ",".join(f"{one.host}:{one.port}" for one in found)
    return Cluster(producer, Settings(home=tmp_path, kafka_brokers=brokers, kafka_config=tmp_path / "kafka.properties"))


@pytest.fixture
def reads(cluster: Cluster) -> Iterator[Callable[[Feedback], KafkaFeedback]]:
    """Starts a bus, which is closed at the end."""
    started: list[KafkaFeedback] = []

    def start(feedback: Feedback) -> KafkaFeedback:
        started.append(KafkaFeedback(cluster.settings, feedback.take))
        return started[-1]

    yield start
    for one in started:
        one.close()


def clicks(store: SqliteStore) -> int:
    return sum(one.clicks for one in counters(store))


def all_of(count: int) -> list[Observed]:
    """What came of so many decisions, three events each."""
    kinds = (("impression", 0.25, 0.0), ("click", None, 0.0), ("conversion", None, 8.0))
    return [observed(at, kind, cost=cost, value=value) for at in range(count) for kind, cost, value in kinds]


def test_events_in_any_order_and_twice_count_once(tmp_path, cluster, reads):
    feedback, store = opened(tmp_path)
    told = [*all_of(30), *all_of(30)]
    random.Random(3).shuffle(told)
    cluster.tell(told[:100])
    reads(feedback)
    wait(lambda: accepted(tmp_path) > 0)
    feedback.expect(lines([entry(at) for at in range(30)]))  # their decisions are known in the middle of it
    cluster.tell(told[100:])
    wait(lambda: clicks(store) == 30)
    cluster.tell(told)
    last = observed(0, "click", " last")
    cluster.tell([last])
    wait(lambda: clicks(store) == 31)
    wait(lambda: committed(cluster) == 2 * len(told) + 1)
    assert counters(store)[1:] == [Counters(0, 10, 10, 10, 80.0, 2.5)] * 2


def accepted(place: Path) -> int:
    with closing(sqlite3.connect(place / "feedback.db")) as db:
        return int(db.execute("SELECT count(*) FROM event").fetchone()[0])


def committed(cluster: Cluster) -> int:
    """Messages that the group will not be given again."""
    reader = Consumer({"bootstrap.servers": cluster.settings.kafka_brokers, "group.id": cluster.settings.kafka_group})
    topic = reader.list_topics(cluster.settings.kafka_topic, 10).topics[cluster.settings.kafka_topic]
    places = reader.committed([TopicPartition(topic.topic, one) for one in topic.partitions], 10)
    reader.close()
    return sum(max(place.offset, 0) for place in places)


def test_a_message_that_holds_no_events_is_kept_with_the_reason_and_stops_nobody(tmp_path, cluster, reads):
    feedback, store = opened(tmp_path)
    feedback.expect(lines([entry(at) for at in range(3)]))
    good = [asdict(one) for one in (observed(0), observed(1))]
    wrong = {**asdict(observed(2)), "kind": "sale"}
    cluster.send(json.dumps({"events": good}).encode())
    cluster.send(b"no json", key=b"k", headers=[("trace", b"7")])
    cluster.send(None, json.dumps({"events": [asdict(observed(2)), wrong]}).encode())
    cluster.tell([observed(2, "click", " later")])
    reads(feedback)
    told = {message.value(): dict(message.headers()) for message in cluster.dead(3)}
    wait(lambda: clicks(store) == 3 and committed(cluster) == 5)
    broken = json.dumps({"events": [asdict(observed(2)), wrong]}).encode()
    assert told.keys() == {None, b"no json", broken}
    assert told[b"no json"]["trace"] == b"7" and told[b"no json"]["adloop.topic"] == b"adloop.feedback"
    assert b"not JSON" in told[b"no json"]["adloop.reason"] and b"not JSON" in told[None]["adloop.reason"]
    kinds = "'impression', 'click', 'conversion', 'loss', 'correction', 'label'"
    reason = f"events[1].kind: expected one of {kinds}, got 'sale'"
    assert told[broken]["adloop.reason"] == reason.encode()
    assert {"adloop.partition", "adloop.offset"} < told[broken].keys()


def test_while_events_cannot_be_kept_nothing_is_committed_and_all_are_taken_when_they_can(tmp_path, cluster, reads):
    feedback, store = opened(tmp_path)
    feedback.expect(lines([entry(at) for at in range(20)]))
    with closing(sqlite3.connect(tmp_path / "feedback.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE event RENAME TO away")
        cluster.tell(all_of(20))
        reader = reads(feedback)
        before = kafka.FAULTS["kafka"]._value.get()
        wait(lambda: kafka.FAULTS["kafka"]._value.get() >= before + 2)
        assert committed(cluster) == 0 and reader.standing == "away"
        db.execute("ALTER TABLE away RENAME TO event")
    wait(lambda: clicks(store) == 20)
    wait(lambda: committed(cluster) == 60 and reader.standing == "reading")


def test_killed_in_the_middle_and_started_again_nothing_is_lost_or_doubled(tmp_path, cluster):
    feedback, store = opened(tmp_path)
    feedback.expect(lines([entry(at) for at in range(300)]))
    named = cluster.settings.model_dump(include={"home", "kafka_brokers", "kafka_config"})
    environment = {**os.environ, **{f"ADLOOP_{name.upper()}": str(value) for name, value in named.items()}}
    command = [sys.executable, "-m", "tests.integration.probe_bus", str(tmp_path)]
    told = all_of(300)
    for part in range(3):
        cluster.tell(told[part * 300 : part * 300 + 300])
        with subprocess.Popen(command, cwd=ROOT, env=environment) as child:
            enough = part * 300 + (300 if part == 2 else 40)
            wait(lambda enough=enough: accepted(tmp_path) >= enough)
            child.send_signal(signal.SIGKILL)
    opened(tmp_path)[0].take([])  # as one that is started again: the last one may have died before it counted
    assert accepted(tmp_path) == len(told)
    assert counters(store) == [Counters(0, 100, 100, 100, 800.0, 25.0)] * 3


def test_closing_finishes_the_group_in_hand(tmp_path, cluster, reads):
    feedback, _ = opened(tmp_path)
    feedback.expect(lines([entry(at) for at in range(50)]))
    cluster.tell(all_of(50))
    reader = reads(feedback)
    wait(lambda: accepted(tmp_path) > 0)
    reader.close()
    assert committed(cluster) == accepted(tmp_path)


def test_a_bus_that_goes_away_is_told_and_does_not_keep_the_endpoint_from_ending(tmp_path, cluster, reads):
    cluster.send(b"{}")
    reader = reads(opened(tmp_path)[0])
    wait(lambda: reader.standing == "reading")
    cluster.producer = None  # the brokers are this client's
    wait(lambda: reader.standing == "away")
    reader.close()


@pytest.mark.parametrize(
    ("written", "said"),
    [("session.timeout.ms", "line 1: expected name=value"), ("no.such.thing=1", "No such configuration property")],
)
def test_a_file_of_settings_that_is_none_is_refused(tmp_path, cluster, written, said):
    cluster.settings.kafka_config.write_text(written)
    with pytest.raises(ValueError, match=f"ADLOOP_KAFKA_CONFIG: .*{said}"):
        KafkaFeedback(cluster.settings, lambda events: [])


def test_the_endpoint_reads_the_bus_and_says_so(tmp_path, cluster):
    settings, (port,) = cluster.settings, free_ports(1)
    (tmp_path / "models").mkdir()
    key = {"authorization": f"Bearer {keys.make(settings, 'shop', ['decide', 'metrics'], 1e6)}"}
    store = SqliteStore(tmp_path / "decisions" / "state.db", PARAMS)
    store.configure("ours", "campaign 0", CampaignSettings(daily_limit=1e6))
    named = [f"ADLOOP_{name.upper()}={value}" for name, value in settings.model_dump(exclude_none=True).items()]
    command = ["env", *named, f"PYTHONPATH={ROOT}", "OMP_NUM_THREADS=1", sys.executable, "-m", "serving.decisions"]
    command += ["--models", str(tmp_path / "models"), "--params", str(ROOT / "params.yaml"), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    server = Server(command, port, tmp_path, lambda: local.get(f"{url}/health/live").raise_for_status())
    server.start()
    try:
        asked = {"opportunity_id": "a", "occurred_at": time.time(), "account_id": "ours", "campaign_id": "campaign 0"}
        made = local.post(f"{url}/v1/decisions", json={**asked, "current_bid": 1.0}, headers=key, timeout=30).json()
        assert made["action"] == "bid"
        event = {"account_id": "ours", "decision_id": made["decision_id"], "occurred_at": time.time()}
        cluster.send(b"{}", json.dumps({**event, "event_id": "c", "kind": "click"}).encode())
        wait(lambda: counters(store)[0].clicks == 1)
        wait(lambda: local.get(f"{url}/health/ready").json()["kafka"] == "reading")
        # A message counts as taken or dead once it is committed; the two may come in batches of their own.
        told = [f'adloop_kafka_messages_total{{became="{end}"}} 1.0' for end in ("taken", "dead")]
        wait(lambda: all(one in local.get(f"{url}/metrics", headers=key).text for one in told))
        assert "adloop_kafka_reading 1.0" in local.get(f"{url}/metrics", headers=key).text
    finally:
        server.stop()

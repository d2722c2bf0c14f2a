"""Servers with homes of their own and one prefix in S3: a release elsewhere sees what they record within seconds."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from features import lake
from features.records import recorded, requests_folder, shared
from features.settings import Settings
from models.keys import public_key
from models.registry import Registry
from serving.access import keys, own
from serving.inference import requests
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.inference.values import plain
from serving.records import export
from serving.records.export import Copies, Export
from serving.records.follow import Follower
from serving.released import state
from serving.released.split import Split
from serving.released.state import Course, ReleaseState
from serving.rollout import step
from serving.rollout.inference_service import InferenceServiceTemplate
from serving.rollout.kserve import InferenceServices
from serving.rollout.plan import Plan
from serving.rollout.processes import ModelServer
from serving.rollout.release import Release, Result
from tests.integration import probe
from tests.integration.conftest import PLAN, S3
from tests.unit.serving.inference.test_requests import request


@pytest.fixture
def prefix(s3: S3, tmp_path: Path) -> str:
    return f"s3://{s3.bucket}/{tmp_path.name}"


@pytest.fixture
def at_home(s3: S3, prefix: str, tmp_path: Path) -> Callable[[str], Settings]:
    """The settings of a pod, by the name of its home."""
    return lambda name: Settings(
        home=tmp_path / name, s3_endpoint_url=s3.endpoint, records_uri=prefix, kserve_namespace="ads"
    )


def test_records_are_in_s3_before_they_are_a_part_and_each_once(at_home: Callable[[str], Settings]) -> None:
    server, release = at_home("server"), at_home("release")
    copies, there = Copies(server, str(server.records_uri)), shared(release)
    log, follower = (
        requests.RequestLog(server.home, "churn", "7"),
        Follower(requests_folder(there, "churn"), ["request_id"], 0.0),
    )
    assert follower.new() == [] and requests.read(there, "churn").empty
    followed: list[str] = []
    for turn in range(3):
        log.append(request(f"r{turn}", rows=1))
        time.sleep(2 * requests.EVERY)
        copies.update()
        followed += [one["request_id"] for one in follower.new()]
        assert (
            followed == requests.read(there, "churn")["request_id"].tolist() == [f"r{one}" for one in range(turn + 1)]
        )
    log.append(request("last", rows=1))
    log.close()
    assert copies.update() == 1
    assert [one["request_id"] for one in follower.new()] == ["last"] and follower.new() == []
    part, journal = sorted(requests_folder(there, "churn").glob("*"), key=lambda file: file.name, reverse=True)
    assert part.name.endswith(".parquet") and (journal.name, journal.stat().st_size) == (f"{part.stem}.journal", 0)
    assert requests.read(there, "churn")["request_id"].tolist() == [*followed, "last"]


def test_a_process_that_follows_another_in_its_home_copies_nothing_twice(at_home: Callable[[str], Settings]) -> None:
    server = at_home("server")
    log = requests.RequestLog(server.home, "churn", "7")
    log.append(request("r1"))
    time.sleep(2 * requests.EVERY)
    Copies(server, str(server.records_uri)).update()
    log.close()
    assert Copies(server, str(server.records_uri)).update() == 1
    assert Copies(server, str(server.records_uri)).update() == 0
    assert [file.stat().st_size > 0 for file in sorted(requests_folder(shared(server), "churn").glob("*"))] == [
        False,
        True,
    ]


def test_copies_of_journals_can_be_told_from_parts_by_their_tag(at_home: Callable[[str], Settings], s3: S3) -> None:
    """So that a versioned bucket keeps what was replaced of parts, and not what was replaced of journals."""
    server = at_home("server")
    log = requests.RequestLog(server.home, "churn", "7")
    for turn in range(2):
        log.append(request(f"r{turn}"))
        time.sleep(2 * requests.EVERY)
        Copies(server, str(server.records_uri)).update()
    log.close()
    Copies(server, str(server.records_uri)).update()
    tags = {}
    for file in requests_folder(shared(server), "churn").glob("*"):
        key = str(file).removeprefix(f"s3://{s3.bucket}/")
        tags[file.name.rpartition(".")[2]] = s3.client.get_object_tagging(Bucket=s3.bucket, Key=key)["TagSet"]
    assert tags == {"parquet": [], "journal": [{"Key": "adloop", "Value": "journal"}]}


def test_the_records_of_a_killed_server_stay_readable(at_home: Callable[[str], Settings]) -> None:
    """Its home went with it, so its last journal never becomes a part."""
    server, release = at_home("server"), at_home("release")
    log = requests.RequestLog(server.home, "churn", "7")
    log.append(request("r1", rows=1))
    time.sleep(2 * requests.EVERY)
    Copies(server, str(server.records_uri)).update()
    assert requests.read(shared(release), "churn")["request_id"].tolist() == ["r1"]
    assert requests.newest(shared(release), "churn") is not None
    log.close()


def test_on_a_cluster_records_are_never_those_of_the_pods_own_disk(at_home: Callable[[str], Settings]) -> None:
    pod = at_home("pod")
    (pod.home / "requests" / "churn").mkdir(parents=True)
    assert isinstance(recorded(pod), lake.Remote)
    assert recorded(pod.model_copy(update={"kserve_namespace": None})) == pod.home


def test_how_a_release_stands_is_shared(at_home: Callable[[str], Settings]) -> None:
    here, there = shared(at_home("release")), shared(at_home("decisions"))
    assert state.load(there, "bidding") == ReleaseState()
    course = Course(version="2", champion="1", started=1.0, weight=10)
    state.save(here, "bidding", ReleaseState(champion="1", course=course))
    assert state.standing(there, "bidding", "1") == Split(champion="1", canary="2", weight=10)
    state.path(here, "bidding").write_bytes(b"{")
    assert state.standing(there, "bidding", "1") == Split(champion="1")


class Pods(InferenceServices):
    """A server a version, each with a home of its own, in place of the cluster that would start them."""

    def __init__(self, at_home: Callable[[str], Settings], owner: Settings, versions: Sequence[str]) -> None:
        template = InferenceServiceTemplate("ads", "adloop/server", "Standard", lambda *_: "s3://b/probe")
        super().__init__(None, template, shared(owner))  # type: ignore[arg-type]
        verify = public_key(owner).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        given = {"api_keys": keys.path(owner), "verify_key": verify}
        self.servers = [
            ModelServer(
                probe.SERVER,
                "probe",
                version,
                Registry(owner).download("probe", version),
                at_home(version).home.with_suffix(".log"),
                at_home(version).model_copy(update=given),
            )
            for version in versions
        ]
        for server in self.servers:
            server.wait_ready()

    def split(self, family: str, split: Split) -> None:
        """They are all up."""

    def close(self) -> None:
        for server in self.servers:
            server.stop()


class Clients:
    """Ask each server about the same rows by turns; what comes of it is told to an endpoint of another home."""

    def __init__(self, owner: Settings, endpoint: Settings) -> None:
        # A look may take longer than a server keeps a connection that nobody uses.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http, self._rows, self._turn = (
            httpx.Client(headers=own.header(owner), timeout=30, limits=limits),
            probe.frame(400),
            count(),
        )
        self._outcomes = OutcomeRecorder(endpoint.home)
        self._export = Export(endpoint, str(endpoint.records_uri))

    def ask(self, servers: Iterable[ModelServer]) -> None:
        for _ in range(8):  # a look takes a while, in S3
            self._ask(servers)

    def _ask(self, servers: Iterable[ModelServer]) -> None:
        rows = self._rows.iloc[next(self._turn) * 8 % 400 :][:8]
        sent = [
            {name: plain(value) for name, value in row.items()} for row in rows[[*probe.COLUMNS]].to_dict("records")
        ]
        for server in servers:
            url = f"http://127.0.0.1:{server.http_port}/v1/models/probe:predict"
            answer = self._http.post(url, json={"instances": sent})
            if answer.status_code == 200:
                told = enumerate(int(label) for label in rows["churned"])
                asked = answer.headers["x-request-id"]
                self._outcomes.append([Labels("probe", asked, row, {"churned": label}) for row, label in told])

    def close(self) -> None:
        self._http.close()
        self._outcomes.close()
        self._export.close()


@pytest.fixture
def release(
    at_home: Callable[[str], Settings], registry_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[probe.Probe], tuple[Result, Registry]]]:
    """Releases a probe as version 2; nothing but the prefix in S3 is common to the processes."""
    monkeypatch.setattr(export, "EVERY_S", 0.5)
    monkeypatch.setattr(step, "SETTLE_IN_S3", 3.0)
    owner, left = at_home("release"), ExitStack()
    shutil.copytree(registry_home, owner.home)

    def run(model: probe.Probe) -> tuple[Result, Registry]:
        probe.install()
        left.callback(probe.remove)
        versions = [probe.register(one, owner, owner.home / str(at)) for at, one in enumerate((probe.Probe(), model))]
        Registry(owner).promote("probe", versions[0])
        clients = left.enter_context(closing(Clients(owner, at_home("endpoint"))))
        pods = left.enter_context(closing(Pods(at_home, owner, versions)))
        course = Release("probe", pods, Registry(owner), Plan.model_validate(PLAN), owner.home, shared(owner))
        return course.run(versions[1], lambda: clients.ask(pods.servers)), Registry(owner)

    with left:
        yield run


def test_a_canary_is_judged_by_what_other_pods_recorded(release: Callable, at_home: Callable[[str], Settings]) -> None:
    done, registry = release(probe.Probe(weight=1.1))
    assert done.outcome == "released", done
    assert registry.champion("probe").version == "2"
    for judged in done.course:
        assert min(judged["canary"]["requests"], judged["champion"]["requests"]) >= PLAN["min_requests"]
        assert "auc" in judged  # by the outcomes that yet another home has
    assert not (at_home("release").home / "requests").exists()
    assert state.load(shared(at_home("release")), "probe") == ReleaseState(champion="2")


def test_a_canary_that_fails_elsewhere_goes_back(release: Callable) -> None:
    done, registry = release(probe.Probe(fails=True))
    assert (done.outcome, registry.champion("probe").version) == ("rolled_back", "1")
    assert "errors" in done.reason and registry.version("probe", "2").status == "rejected"

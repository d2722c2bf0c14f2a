"""While a version is on its way: who asks for which, and whose requests say something of it."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

from features.settings import Settings
from serving.access import own
from serving.released.split import Split
from serving.rollout.fleet import Fleet
from tests.integration import probe
from tests.integration.asked import PLAIN, request
from tests.toyland import local


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Version 1, and version 2 on its way with all of the requests that name no version."""
    settings = Settings(home=tmp_path_factory.mktemp("course"))
    for version in ("1", "2"):
        probe.write(settings.home / version, settings, probe.Probe(weight=float(version)), version)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fleet, "command", probe.SERVER)
        fleet = Fleet(settings, "127.0.0.1", 0, lambda _, version: settings.home / version)
        fleet.split("probe", Split(champion="1", canary="2", weight=100))
        yield fleet
        fleet.close()


@pytest.mark.parametrize(("asked", "answers"), [("", "2"), ("1", "1"), ("2", "2"), ("9", None)])
@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_only_requests_of_no_version_are_of_a_course(course: Fleet, protocol: str, asked: str, answers: str) -> None:
    """Who names a version gets that one, and says nothing for or against the canary; nor does who has no key."""
    given, since = own.header(course.settings), time.time()
    claims = {"x-adloop-course": "probe", "x-adloop-version": "1"}
    if protocol == "rest":
        path = f"v2/models/probe/{f'versions/{asked}/' if asked else ''}infer"
        answer = local.post(f"{course.envoy.url}/{path}", json=PLAIN, headers={**given, **claims}, timeout=30)
        assert answer.json().get("model_version") == answers, answer.text
        assert local.post(f"{course.envoy.url}/{path}", json=PLAIN, headers=claims, timeout=30).status_code == 401
    else:
        message = request().to_grpc()
        message.model_version = asked
        with grpc.insecure_channel(course.envoy.url.removeprefix("http://")) as channel:
            stub = service.GRPCInferenceServiceStub(channel)
            found = _version(stub, message, {**given, **claims})
            assert found == answers
            assert _version(stub, message, claims) is None
    time.sleep(0.5)
    seen = course.attempts("probe", since)
    assert seen["version"].tolist() == ([] if asked else ["2"]) and seen["ok"].all()


def _version(stub: Any, message: Any, given: dict[str, str]) -> str | None:
    try:
        return str(stub.ModelInfer(message, metadata=list(given.items()), timeout=30).model_version)
    except grpc.RpcError as refused:
        assert refused.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAUTHENTICATED)
        return None

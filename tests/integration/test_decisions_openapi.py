"""Whatever the OpenAPI document allows, and much that it does not, is answered without a 5xx."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from features.settings import Settings
from tests.integration.test_decisions_endpoint import Endpoint

schemathesis = pytest.importorskip("schemathesis")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    found = Endpoint(Settings(home=tmp_path_factory.mktemp("home")))
    yield found
    found.server.stop()


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_no_request_makes_it_fail(endpoint: Endpoint, mode: str) -> None:
    document = schemathesis.openapi.from_url(f"{endpoint.url}/openapi.json")
    seen: dict[str, set[int]] = {}
    for result in document.get_all_operations():
        operation = result.ok()
        strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))

        @given(case=strategy)
        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def holds(case: schemathesis.Case) -> None:
            # The keys that may: a request is refused for what it says, not for who says it.
            scope = {"/v1/decisions": "decide", "/v1/feedback": "feedback"}.get(case.path, "admin")
            answer = case.call(headers={"authorization": f"Bearer {endpoint.keys[scope]}"})
            seen.setdefault(f"{case.method} {case.path}", set()).add(answer.status_code)
            assert answer.status_code < 500, answer.text

        if mode == "negative" and operation.method.upper() == "GET":
            continue  # a request with nothing in it cannot be wrong
        holds()
    assert set(seen) >= {
        f"POST /v1/{path}" for path in ("decisions", "feedback", "campaigns", "accounts", "kill", "override")
    }
    assert mode == "negative" or seen["POST /v1/decisions"] <= {200, 422}
    assert mode == "positive" or {400, 422} & seen["POST /v1/decisions"]
    assert endpoint.post("kill", {"why": None}).status_code == 200
    assert endpoint.decide()["action"] in ("bid", "hold")

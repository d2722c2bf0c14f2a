"""A kind of decision is a module and its name: fields, needs, policy, guardrails and money go through the endpoint."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from features import store
from features.settings import Settings
from serving.experiments.explain import explain
from serving.experiments.replay import replay
from tests.integration import probe_endpoint as probe
from tests.integration import probe_kind
from tests.integration.decision_endpoint import Endpoint, asked, publish
from tests.toyland.placement import Placement


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, tables: Path) -> Iterator[Endpoint]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    probe_kind.install()
    publish(tables, settings)
    found = Endpoint(settings, "probe_kind", {probe_kind.NAME: probe_kind.Scores})
    yield found
    found.server.stop()
    probe_kind.remove()


def placed(endpoint: Endpoint, **told: Any) -> dict[str, Any]:
    return endpoint.decide(asked="placement", visitor_id="c00003", creatives=["red", "blue"], **told)


def state(endpoint: Endpoint, version: str) -> Any:
    look = Placement("look", time.time(), "acme", "spring", visitor_id="v", creatives=["red", "blue"])
    return endpoint.state.load([look], version)[0]


def test_it_is_decided_by_its_own_models_answer(endpoint: Endpoint) -> None:
    made = placed(endpoint)
    assert made["action"] == "rotate_creative" and made["target"] in ("red", "blue") and made["amount"] is None
    assert set(made["versions"]) == {"scores"}
    row = store.Online(endpoint.settings).read(probe.SERVICE, ["c00003"]).iloc[0]
    assert made["triggers"][0]["statistic"] == pytest.approx(2 * row["frequency"])
    unknown = endpoint.decide(asked="placement", visitor_id="nobody", creatives=["red", "blue"])
    assert unknown["arm"] == "fallback" and "visitor 'nobody' is not in the online store" in unknown["reason"]


def test_its_fields_are_its_own(endpoint: Endpoint) -> None:
    for changed, field in (
        ({"creatives": ["red"]}, "creatives"),
        ({"creatives": ["red", "blue"], "current_bid": 1.0}, "current_bid"),
        ({}, "creatives"),
    ):
        refused = endpoint.post("decisions", asked(asked="placement", visitor_id="v", **changed))
        assert refused.status_code == 422 and refused.json()["error"]["field"] == field
    assert endpoint.post("decisions", asked(visitor_id="v")).json()["error"]["field"] == "visitor_id"


def test_its_money_is_set_aside_within_the_budget_and_its_guardrails_bound_it(endpoint: Endpoint) -> None:
    assert placed(endpoint, price=1.0)["amount"] == 1.0  # with it the worker's allowance is set aside
    before = state(endpoint, "").campaign.reserved
    assert placed(endpoint, price=2.5)["amount"] == 2.5
    assert state(endpoint, "").campaign.reserved == before + 2.5
    dear = placed(endpoint, price=1e6)
    assert (dear["action"], dear["reason"]) == ("hold", "too dear")


def test_its_policy_learns_from_what_the_store_counts_of_its_arms(endpoint: Endpoint) -> None:
    made = [placed(endpoint) for _ in range(60)]
    assert {one["target"] for one in made} == {"red", "blue"}
    events = [
        {"event_id": f"{kind} {one['decision_id']}", "decision_id": one["decision_id"], "kind": kind}
        for one in made
        for kind in ("impression", *(("click",) if one["target"] == "red" else ()))
    ]
    now = {"account_id": "acme", "occurred_at": time.time()}
    assert endpoint.post("feedback", {"events": [{**one, **now} for one in events]}).status_code == 200
    version = made[0]["versions"]["scores"]
    red = sum(one["target"] == "red" for one in made)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        known = state(endpoint, version)
        if known.outcome("red").clicks + known.outcome("blue").impressions >= 60:
            break
        time.sleep(0.1)
    assert (known.outcome("red").impressions, known.outcome("red").clicks) == (red, red)
    assert (known.outcome("blue").impressions, known.outcome("blue").clicks) == (60 - red, 0)
    after = [placed(endpoint) for _ in range(10)]
    assert {one["target"] for one in after} == {"red"} and all(one["propensity"] > 0.99 for one in after)


def test_what_is_shown_is_no_bid_and_no_auction_that_was_won(endpoint: Endpoint) -> None:
    from serving.decisions.kinds.campaign import Review

    look = endpoint.state.load([Review("look", time.time(), "acme", "spring")], "")[0]
    assert look.window.recent.bids == look.window.recent.impressions == look.window.recent.clicks == 0


def test_it_is_explained_and_replayed(endpoint: Endpoint) -> None:
    made = placed(endpoint, price=1.0)
    endpoint.server.stop()
    place = endpoint.settings.home / "decisions" / "log"
    assert made["reason"] in explain(place, made["decision_id"])
    again = replay(place)
    assert again.count > 60 and again.differing == 0 and not again.faults

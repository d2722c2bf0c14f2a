"""A group's way to its decisions: what leaves no trace is not done, and each kind asks its own models."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from serving.decisions.decide import Pipeline
from serving.decisions.kinds import kinds
from serving.decisions.kinds.kind import Kind
from serving.decisions.params import DecisionParams
from serving.decisions.predict.active_models import ActiveModels
from serving.decisions.records import Action, Opportunity, Predictions
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings
from serving.records.writer import LogUnavailable

ROOT = Path(__file__).parents[4]
PARAMS = DecisionParams.model_validate_json(json.dumps(yaml.safe_load((ROOT / "params.yaml").read_text())["decisions"]))


class Log:
    """Keeps what is logged; `full` after so many."""

    def __init__(self, full: int = 10**9) -> None:
        self.entries: list[Any] = []
        self.full = full

    def append(self, *entry: Any) -> None:
        if len(self.entries) >= self.full:
            raise LogUnavailable("what waits is not taken")
        self.entries.append(entry)


class Said:
    """Says the same of all, and keeps what it was asked."""

    learning = "3"

    def __init__(self, kind: Kind, **said: Any) -> None:
        self.kind, self.said, self.asked = kind, said, []

    def ask(self, opportunities: Any, features: Any) -> Any:
        return features

    def predict(self, opportunities: Any, states: Any, features: Any) -> list[Predictions]:
        self.asked += opportunities
        return [Predictions(self.said, versions={"bidding": "3"}) for _ in opportunities]


def made(tmp_path: Path, log: Log, said: dict[str, Said]) -> Pipeline:
    store = SqliteStore(tmp_path / "state.db", PARAMS, clock=lambda: 1000.0)
    store.configure("a", "c", CampaignSettings(daily_limit=100.0))
    active = ActiveModels({}, {})
    active._predictors[frozenset()] = said  # type: ignore[assignment]
    return Pipeline(SimpleNamespace(active=active), None, Allowance(store, PARAMS), log, PARAMS, 5)  # type: ignore[arg-type]


@pytest.fixture
def said() -> dict[str, Said]:
    found = {name: Said(kind) for name, kind in kinds().items()}
    found["bid"].said = {"policy_bid": 2.0, "baseline_bid": 1.5}
    return found


def asked(place: int, kind: Any = "bid") -> Opportunity:
    return kinds()[kind].request(f"o{place}", 1000.0, "a", "c", customer_id="k")


def test_a_decision_that_cannot_be_logged_is_not_done(tmp_path: Path, said: dict[str, Said]) -> None:
    log = Log(full=2)
    decisions = made(tmp_path, log, said).decide([asked(place) for place in range(4)])
    assert [one.action for one in decisions] == [Action.BID, Action.BID, Action.HOLD, Action.HOLD]
    assert decisions[2].amount is None
    assert decisions[2].reason == "no bid: it cannot be logged: what waits is not taken"


def test_what_is_logged_is_what_is_answered(tmp_path: Path, said: dict[str, Said]) -> None:
    log = Log()
    decisions = made(tmp_path, log, said).decide([asked(place) for place in range(3)])
    assert [entry[-1] for entry in log.entries] == decisions
    assert [entry[3].status for entry in log.entries] == ["reserved"] * 3


def test_each_kind_asks_its_own_models_and_the_order_is_kept(tmp_path: Path, said: dict[str, Said]) -> None:
    kinds = ["bid", "campaign", "customer", "bid", "customer"]
    decisions = made(tmp_path, Log(), said).decide([asked(place, kind) for place, kind in enumerate(kinds)])
    assert [one.opportunity_id for one in decisions] == [f"o{place}" for place in range(5)]
    assert {kind: [one.opportunity_id for one in model.asked] for kind, model in said.items()} == {
        "bid": ["o0", "o3"],
        "customer": ["o2", "o4"],
        "campaign": ["o1"],
        "creative": [],
    }


def test_money_is_promised_once_to_who_asks_again(tmp_path: Path, said: dict[str, Said]) -> None:
    log = Log()
    pipeline = made(tmp_path, log, said)
    first, again = (pipeline.decide([asked(7)])[0] for _ in range(2))
    assert again.amount == pytest.approx(first.amount, abs=2e-6)
    assert again.decision_id == first.decision_id
    assert [entry[3].status for entry in log.entries] == ["reserved", "again"]


def test_money_of_a_decision_that_is_not_done_is_given_back(tmp_path: Path, said: dict[str, Said]) -> None:
    pipeline = made(tmp_path, Log(full=1), said)
    first, *rest = pipeline.decide([asked(place) for place in range(3)])
    assert [one.action for one in rest] == [Action.HOLD] * 2
    (state,) = pipeline.money.load([asked(9)], "3")
    assert state.campaign.reserved == first.amount + PARAMS.keeping.allowance * 100.0


def test_no_more_is_offered_than_the_budget_holds_and_each_offer_is_one_customers(
    tmp_path: Path, said: dict[str, Said]
) -> None:
    said["customer"].said = {"churn_probability": 0.9, "value": 100.0}
    pipeline = made(tmp_path, Log(), said)
    one_by_one = (pipeline.decide([asked(place, "customer")])[0] for place in range(40))
    first = next(one for one in one_by_one if one.amount is not None)
    again, other = (replace(asked(0, "customer"), opportunity_id=first.opportunity_id, customer_id=one) for one in "kx")
    assert pipeline.decide([again])[0].amount == first.amount == 18.0
    refused = pipeline.decide([other])[0]
    assert refused.action is Action.HOLD and "was used for customer 'k'" in refused.reason
    offers = pipeline.decide([replace(asked(place, "customer"), customer_id=f"u{place}") for place in range(50, 90)])
    assert sum(one.action is Action.RETENTION_OFFER for one in [first, *offers]) == 5  # of a daily budget of 100

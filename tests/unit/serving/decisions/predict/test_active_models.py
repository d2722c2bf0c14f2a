"""Canaries answer for their share of the opportunities, always for the same ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from serving.decisions.kinds import bid
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.kind import Need
from serving.decisions.predict.active_models import ActiveModels, Canary
from tests.integration import probe_endpoint as probe


@dataclass(frozen=True)
class Predictor:
    """One that is never asked."""

    family: str
    version: str
    columns: Mapping[str, str]
    says: frozenset[str]
    service: None = None

    def bound(self, columns: Any, answers: Any) -> Any:
        return lambda matrix: {}


def bidding(version: str) -> Predictor:
    return Predictor("bidding", version, {"predicted_ctr": "float64"}, frozenset({"policy_bid"}))


def clicks(version: str) -> Predictor:
    return Predictor("clicks", version, {"recency": "float64"}, frozenset({"predicted_ctr"}))


@pytest.fixture(autouse=True)
def needs() -> Iterator[None]:
    probe.asked_by({"policy_bid": Need("bidding", "policy_bid", ""), "rate": Need("clicks", "predicted_ctr", "")})
    yield
    probe.asked_by(bid.NEEDS)


CHAMPIONS = {"bidding": bidding("1"), "clicks": clicks("7")}
ASKED = [Auction(f"o{place}", 1000.0, "a", f"c{place % 3}") for place in range(4000)]


def answering(active: ActiveModels, seed: int = 5) -> list[Mapping[str, str]]:
    """The versions that each opportunity is answered by."""
    found: dict[int, Mapping[str, str]] = {}
    for predictors, places in active.parts(ASKED, seed):
        found |= dict.fromkeys(places, predictors.versions)
    return [found[place] for place in range(len(ASKED))]


def test_without_a_canary_the_champions_answer_all() -> None:
    assert answering(ActiveModels(CHAMPIONS, {})) == [{"bidding": "1", "clicks": "7"}] * len(ASKED)


@pytest.mark.parametrize("weight", [10, 50, 100])
def test_a_canary_answers_its_share_and_the_same_ones_again(weight: int) -> None:
    active = ActiveModels(CHAMPIONS, {"bidding": Canary(bidding("2"), weight)})
    versions = answering(active)
    share = sum(one["bidding"] == "2" for one in versions) / len(versions)
    assert share == pytest.approx(weight / 100, abs=0.025)
    assert {one["clicks"] for one in versions} == {"7"}
    assert answering(active) == versions
    assert active.shares == {("bidding", "1"): 1 - weight / 100, ("bidding", "2"): weight / 100, ("clicks", "7"): 1.0}


def test_more_weight_keeps_those_that_were_answered_by_the_canary() -> None:
    some, more = (
        {
            place
            for place, one in enumerate(answering(ActiveModels(CHAMPIONS, {"bidding": Canary(bidding("2"), weight)})))
            if one["bidding"] == "2"
        }
        for weight in (10, 50)
    )
    assert some < more


def test_two_canaries_are_drawn_apart() -> None:
    both = ActiveModels(CHAMPIONS, {"bidding": Canary(bidding("2"), 50), "clicks": Canary(clicks("8"), 50)})
    seen = [(one["bidding"], one["clicks"]) for one in answering(both)]
    for pair in [("1", "7"), ("1", "8"), ("2", "7"), ("2", "8")]:
        assert seen.count(pair) / len(seen) == pytest.approx(0.25, abs=0.03)

"""The rules beside the engine and the simulator's own account, held to hand counts and to limits."""

from dataclasses import replace

import numpy as np
import pytest

from features.simulator.published import PUBLISHED
from features.simulator.settlement import settle
from serving.experiments.simulation import advertisers, outcome
from serving.experiments.simulation.account import BidderAccount
from serving.experiments.simulation.advertisers import FIRST_DAY, HOURS, Advertiser
from serving.experiments.simulation.records import CONSTANT, ENGINE, LINEAR
from serving.experiments.simulation.rules import play


@pytest.fixture(scope="module")
def drawn() -> list[Advertiser]:
    with pytest.MonkeyPatch.context() as patch:
        for name, campaign in PUBLISHED.items():
            patch.setitem(PUBLISHED, name, campaign.model_copy(update={"daily": 150}))
        return advertisers.drawn(sorted(PUBLISHED), 5, 3)


def test_accounts_hold_different_campaigns_drawn_alike_from_a_seed(drawn: list[Advertiser]) -> None:
    assert len(drawn) == 5 == len({(one.account_id, one.campaign_id) for one in drawn})
    assert [one.account_id for one in drawn] == ["simulated-0"] * 4 + ["simulated-1"]
    again = advertisers.drawn(sorted(PUBLISHED), 5, 3)
    assert [one.campaign_id for one in again] == [one.campaign_id for one in drawn]
    with pytest.raises(ValueError, match="at least 1"):
        advertisers.drawn(sorted(PUBLISHED), 0, 3)


@pytest.mark.parametrize("rule", [CONSTANT, LINEAR])
def test_a_rule_spends_within_both_limits_and_most_of_them(drawn: list[Advertiser], rule: str) -> None:
    limits = advertisers.limits(drawn)
    account = play(rule, drawn, limits, 2)
    assert account.overspent(limits) == []
    spent = account.total("spend").sum() / sum(one.budget for one in drawn) / 2
    assert 0.6 < spent <= advertisers.ACCOUNT


def test_an_account_says_which_limit_was_spent_above(drawn: list[Advertiser]) -> None:
    limits = advertisers.limits(drawn)
    careless = [replace(one, budget=1e9, constant=1e6) for one in drawn]
    account = play(CONSTANT, careless, dict.fromkeys(limits, 1e9), 1)
    account._advertisers = drawn
    found = account.overspent(limits)
    assert sum(one.startswith("campaign") for one in found) == 5
    assert sum(one.startswith("account") for one in found) == 2


def test_an_account_counts_what_came(drawn: list[Advertiser]) -> None:
    account, one = BidderAccount(ENGINE, drawn, 1), drawn[0]
    offered = one.simulator.hour(FIRST_DAY * HOURS + 12)
    bids = np.where(np.arange(len(offered)) % 2, offered.market_price, 0.0)
    account.take(0, 12, offered, bids, settle(offered, bids))
    (told,) = [hour for hour in account.hours() if (hour.place, hour.hour) == (0, 12)]
    won = bids > 0
    assert (told.auctions, told.bids, told.wins) == (len(offered), won.sum(), won.sum())
    assert told.spend == pytest.approx(offered.market_price[won].sum())
    assert told.bid == pytest.approx(offered.market_price[won].mean())
    expected = (offered.ctr * offered.cvr)[won].sum() * one.simulator.campaign.conversions.value
    assert told.worth == pytest.approx(expected)


def test_one_rule_against_itself_is_even_on_every_sample() -> None:
    weights = outcome._weights(4, 1)
    part = np.array([3.0, 2.0, 5.0, 1.0]), np.array([1.0, 1.0, 2.0, 1.0])
    even = outcome._against(part, part, weights)
    assert (even.value, even.low, even.high) == (1.0, None, None)
    twice = outcome._against((2 * part[0], part[1]), part, weights)
    assert twice.value == 2
    ratio = outcome._ratio(*part, weights)
    assert ratio.value == 11 / 5 and ratio.low < ratio.value < ratio.high
    nothing = outcome._ratio(np.zeros(4), np.zeros(4), weights)
    assert nothing.value is None

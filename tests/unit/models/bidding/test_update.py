"""A policy goes on from what it was: from its networks and settings, keeping what nothing new is told of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.bidding import market as markets
from models.bidding.dqn.graph import layers
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule, Study
from models.bidding.fit import CANDIDATES, FITS, RATIOS
from models.bidding.model import BiddingModel
from models.bidding.policies.dqn import Dqn
from models.bidding.policies.linear import Linear
from models.bidding.training import baseline
from models.bidding.update import UPDATES, update
from tests.unit.models.bidding.campaigns import PARAMS, split
from tests.unit.models.bidding.logs import market


def test_every_policy_that_may_be_released_can_be_gone_on_with() -> None:
    assert set(UPDATES) == set(CANDIDATES) <= set(FITS)


def test_a_network_goes_on_from_its_weights(tmp_path: Path) -> None:
    episodes = market(seed=1)
    known = markets.fit(episodes)
    first = Dqn.fit(episodes, known, Study(Schedule(rounds=1, episodes=3, steps=6), Reward(), 7, tmp_path / "first"))
    none = Dqn.fit(episodes, known, Study(Schedule(rounds=0), Reward(), 8, tmp_path / "none"), first)
    one = Dqn.fit(episodes, known, Study(Schedule(rounds=1, episodes=3, steps=1), Reward(), 8, tmp_path / "one"), first)
    anew = Dqn.fit(episodes, known, Study(Schedule(rounds=1, episodes=3, steps=1), Reward(), 8, tmp_path / "anew"))
    for had, stays, moved, other in zip(*(layers(it.network) for it in (first, none, one, anew)), strict=True):
        np.testing.assert_array_equal(had, stays)
        assert np.abs(moved - had).max() < 0.01
        assert had.shape == other.shape
    assert np.abs(layers(anew.network)[0] - layers(first.network)[0]).max() > 0.1


def test_a_network_keeps_its_channels_and_grows_a_branch_for_a_new_one(tmp_path: Path) -> None:
    episodes = market(seed=1)
    halves = np.arange(episodes.auctions) % 2 + np.zeros(len(episodes), dtype=np.int64)[:, None]
    known, short = markets.fit(episodes), Schedule(rounds=1, episodes=3, steps=6)
    first = Dqn.fit(
        replace(episodes, channel=halves, channels=("search", "social")),
        known,
        Study(short, Reward(), 7, tmp_path / "first"),
    )
    seen = replace(episodes, channel=halves, channels=("video", "search"))
    later = Dqn.fit(seen, known, Study(Schedule(rounds=0), Reward(), 8, tmp_path / "later"), first)
    assert later.channels == ("search", "social", "video")
    had, has = layers(first.network)[4], layers(later.network)[4]
    branches = has[..., 1:].reshape(*has.shape[:-1], 3, -1)
    np.testing.assert_array_equal(has[..., : had.shape[-1]], had)
    np.testing.assert_allclose(branches[..., 2, :], branches[..., :2, :].mean(axis=-2), rtol=1e-6)
    assert seen.among(first.channels).channel[0, :2].tolist() == [2, 0]


def test_a_factor_is_tuned_around_where_it_stood_and_stays_where_nothing_is_logged() -> None:
    episodes = market(seed=1)
    known = markets.fit(episodes)
    first = Linear.fit(episodes, known, RATIOS)
    settings = {"north": tuple(4 * one for one in first.factor.settings["north"]), "west": (1.0,) * len(RATIOS)}
    before = first.factor.model_copy(update={"settings": settings, "prices": {"north": 40.0, "west": 5.0}})
    after = Linear.fit(episodes, known, RATIOS, before).factor
    for had, has in zip(settings["north"], after.settings["north"], strict=True):
        assert had / 2 <= has * (1 + 1e-9) and has < had  # far too high, it comes down by a step at most
    assert after.settings["south"] == first.factor.settings["south"]  # not known before: tuned as ever
    assert after.settings["west"] == (1.0,) * len(RATIOS) and after.prices["west"] == 5.0


def test_what_is_known_of_values_is_where_a_market_starts() -> None:
    episodes = market(seed=1, count=2)
    anew = markets.fit(episodes)
    steep = {"north": anew["north"].model_copy(update={"slope": 2.0}), "west": anew["south"]}
    after = markets.fit(episodes, before=steep)
    assert anew["north"].slope < after["north"].slope < 2
    assert after["south"] == anew["south"] and after["west"] == anew["south"]


@pytest.mark.parametrize("name", CANDIDATES)
def test_an_update_is_of_the_champions_kind_and_forgets_no_campaign(
    tmp_path: Path, rows: pd.DataFrame, name: str
) -> None:
    champion = baseline(name)(split(rows, "train"), split(rows, "valid"), PARAMS, tmp_path / "first")
    assert isinstance(champion, BiddingModel)
    champion.save(tmp_path / "champion")
    before = {file: file.read_bytes() for file in (tmp_path / "champion").rglob("*") if file.is_file()}
    cheap = rows[rows["campaign_id"] == "cheap"]
    later = update(champion, split(cheap, "train"), split(cheap, "valid"), PARAMS, tmp_path / "later")
    assert later.about.policy == name and set(later.about.markets) == {"cheap", "dear"}
    assert later.about.markets["dear"] == champion.about.markets["dear"]
    later.save(tmp_path / "challenger")
    asked = split(rows, "test").groupby("campaign_id").head(20)
    bids = BiddingModel.load(tmp_path / "challenger").predict(asked)["bid"]
    pd.testing.assert_series_equal(bids, later.predict(asked)["bid"])
    assert (bids.groupby(asked["campaign_id"]).max() > 0).all()
    assert {file: file.read_bytes() for file in before} == before
    assert later.explain(asked.head(1))["top_drivers"].map(len).gt(0).all()

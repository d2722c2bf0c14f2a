"""From a log to examples: whole episodes in their splits, each with its budget and what hindsight would buy."""

from pathlib import Path

import pandas as pd
import pytest

from models.bidding.examples import by_budget, examples
from models.bidding.fit import RATIOS
from models.bidding.params import BiddingParams
from tests.unit.models.bidding.campaigns import LENGTH, PARAMS, SECTION, log, split, tables


def test_episodes_are_whole_and_lie_in_one_split(made: pd.DataFrame) -> None:
    of_episode = made.groupby("episode")
    assert (of_episode.size() == LENGTH).all()
    for name in ("split", "campaign_id", "event_timestamp", "budget"):
        assert (of_episode[name].nunique() == 1).all()
    assert (of_episode["remaining"].first() == LENGTH).all() and (of_episode["remaining"].last() == 1).all()


def test_splits_follow_time_and_what_is_known_is_of_the_night_before(tmp_path: Path) -> None:
    made = examples(tables(log(), tmp_path), PARAMS, cutoff="2024-03-30")
    moments = made.groupby("split")["event_timestamp"].agg(["min", "max"])
    assert moments.loc["train", "max"] < pd.Timestamp("2024-03-23") == moments.loc["valid", "min"]
    assert moments.loc["valid", "max"] < pd.Timestamp("2024-03-30") == moments.loc["test", "min"]
    assert (made["event_timestamp"] == made["event_timestamp"].dt.normalize()).all()


def test_nothing_later_than_as_of_is_an_example(tmp_path: Path) -> None:
    given = tables(log(), tmp_path)
    early = examples(given, PARAMS, as_of="2024-04-01")
    assert early["event_timestamp"].max() < pd.Timestamp("2024-04-01")
    assert len(early) < len(examples(given, PARAMS))


def test_a_history_too_short_says_by_how_much(tmp_path: Path) -> None:
    short = log()[lambda rows: rows["occurred_at"] < "2024-03-20"]
    with pytest.raises(ValueError, match=r"history is 9\.0 days too short for 14 days"):
        examples(tables(short, tmp_path), PARAMS)


def test_conversions_need_their_values(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs conversion_value and predicted_value"):
        examples(tables(log(), tmp_path), BiddingParams.read({**SECTION, "goal": "conversions"}))


def test_conversions_are_bought_by_their_value(tmp_path: Path) -> None:
    rows = log()
    rows["conversion_value"], rows["predicted_value"] = rows["click"] * 8, rows["predicted_ctr"] * 8
    made = examples(tables(rows, tmp_path), BiddingParams.read({**SECTION, "goal": "conversions"}))
    assert (made["value"] == made["click"] * 8).all() and made["value"].any()
    assert made["predicted_value"].mean() == pytest.approx(rows["predicted_ctr"].mean() * 8, rel=0.05)


def test_a_replay_without_time_keeps_its_own_episodes(tmp_path: Path) -> None:
    rows = log().drop(columns="occurred_at")
    rows["episode"] = rows.groupby("campaign_id").cumcount() // 40
    short = BiddingParams.read({**SECTION, "window": {"horizon_days": 1, "step_days": 1, "min_history_days": 1}})
    long = pd.concat([rows.assign(episode=rows["episode"] + 100 * part) for part in range(3)])
    made = examples(tables(long.sort_values("campaign_id", kind="stable"), tmp_path), short)
    assert (made.groupby("episode").size() == 40).all()
    assert made["episode"].nunique() == len(long) // 40, "no episode is left out"


def test_every_budget_comes_up_in_every_split(made: pd.DataFrame) -> None:
    price = split(made, "train").groupby("campaign_id")["market_price"].mean()
    ratio = made["budget"] / LENGTH / made["campaign_id"].map(price)
    assert set(ratio.round(6)) == {round(one, 6) for one in RATIOS}
    assert ratio.groupby(made["split"]).nunique().eq(len(RATIOS)).all()


def test_hindsight_buys_the_cheapest_clicks_and_stays_within_the_budget(made: pd.DataFrame) -> None:
    bought = made[made["optimal"] > 0]
    assert (bought["click"] == 1).all() and len(bought) > 20
    cost = bought.groupby("episode")["market_price"].sum()
    assert (cost <= made.groupby("episode")["budget"].first()[cost.index]).all()
    missed = made[(made["click"] == 1) & (made["optimal"] == 0)]
    dearest = bought.groupby("episode")["market_price"].max()
    assert (missed["market_price"] >= missed["episode"].map(dearest).fillna(0)).all()


def test_situations_differ_by_budget_alone(made: pd.DataFrame) -> None:
    test, learnt = split(made, "test"), split(made, "train")
    told = by_budget(test, learnt)
    assert list(told) == ["1/32", "1/16", "1/8", "1/4"]
    changed = ["budget", "optimal", "price_in_pace"]
    for rows in told.values():
        pd.testing.assert_frame_equal(rows.drop(columns=changed), test.drop(columns=changed))
    assert (told["1/4"]["budget"] / told["1/32"]["budget"]).to_numpy() == pytest.approx(8)
    assert told["1/4"]["optimal"].sum() > told["1/32"]["optimal"].sum()

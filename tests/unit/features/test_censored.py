"""Lost auctions are stood in for by won ones as the Kaplan-Meier estimate has it, and by none where nothing was won."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import auctions
from features.tables import Tables


def read(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    rows.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    return auctions.read(Tables(folder))


def day(prices: list[float], won: list[float], campaign: str = "7", at: str = "2024-01-01") -> pd.DataFrame:
    """Auctions of one day with like predictions: each brings a tenth of its price."""
    told = {"market_price": prices, "won": won, "click": won, "conversion_value": np.array(prices) / 10 * won}
    moments = pd.Timestamp(at) + pd.to_timedelta(np.arange(len(prices)), unit="s")
    return pd.DataFrame({"campaign_id": campaign, "occurred_at": moments, "predicted_ctr": 0.5, **told})


def test_what_was_lost_is_drawn_from_what_was_won_at_a_higher_price(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("features.censored.ALIKE", 10_000)
    # Of the three that were won above 15, each is as likely.
    found = read(day([10.0, *[15.0] * 3000, 20.0, 30.0, 40.0], [1, *[0] * 3000, 1, 1, 1]), tmp_path)
    lost = found[found["won"] == 0]
    assert len(found) == 3004
    shares = lost["market_price"].value_counts(normalize=True)
    assert set(shares.index) == {20, 30, 40}
    assert shares.to_numpy() == pytest.approx(1 / 3, abs=0.03)
    assert lost["conversion_value"].value_counts(normalize=True).sort_index().index.tolist() == [1, 2, 3, 4]
    assert lost["conversion_value"].value_counts(normalize=True).to_numpy() == pytest.approx(1 / 4, abs=0.03)


def test_above_all_that_was_paid_the_price_is_just_above_the_bid(tmp_path: Path) -> None:
    found = read(
        day([10.0, 25.0, 25.0], [1, 0, 0]).iloc[:1].pipe(lambda won: pd.concat([won, day([25.0] * 5, [0] * 5)])),
        tmp_path,
    )
    lost = found[found["won"] == 0]
    assert (lost["market_price"] > 25).all() and lost["market_price"].max() == pytest.approx(25)


def test_a_day_on_which_nothing_was_won_tells_nothing_and_lends_nothing(tmp_path: Path) -> None:
    rows = pd.concat(
        [day([5.0] * 6, [0] * 6), day([9.0] * 6, [1] * 6, at="2024-01-02"), day([7.0] * 6, [1] * 6, campaign="8")]
    )
    found = read(rows, tmp_path)
    assert found.groupby("campaign_id")["market_price"].agg(["count", "mean"]).to_numpy().tolist() == [[6, 9], [6, 7]]


def test_a_table_that_does_not_say_what_was_won_stays_as_it_is(tmp_path: Path) -> None:
    rows = day([5.0, 6.0], [1, 1])
    assert read(rows.drop(columns="won"), tmp_path)["market_price"].tolist() == [5, 6]
    assert read(rows.assign(won=[None, 1.0]), tmp_path)["market_price"].tolist() == [5, 6]


def test_prices_come_out_as_they_were_where_bids_hid_half_of_them(tmp_path: Path) -> None:
    """Bids rise with the prediction, and so do prices: what was won is cheap, and what was lost was worth more."""
    rng = np.random.default_rng(4)
    count = 20_000
    score = rng.normal(size=count)
    chance = 0.05 * np.exp(0.8 * score)
    price = 60 * rng.gamma(2, 0.5, count) * np.exp(0.3 * score)
    bid = 900 * chance * np.exp(rng.normal(0, 0.5, count))
    click = (rng.random(count) < chance).astype(float)
    won = bid >= price
    rows = pd.DataFrame(
        {
            "campaign_id": "7",
            "occurred_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(count), unit="s"),
            "market_price": np.where(won, price, bid),
            "won": won.astype(float),
            "click": click * won,
            "predicted_ctr": chance,
        }
    )
    found = read(rows, tmp_path)
    quantiles = [0.1, 0.25, 0.5, 0.75]
    truth = np.quantile(price, quantiles)
    # Prices hang on predictions here, too: they come out high, and less so than those that were paid come out low.
    off = np.quantile(found["market_price"], quantiles) / truth - 1
    assert off.min() > -0.05 and off.max() < 0.25
    for naive in (rows["market_price"], rows["market_price"][won]):
        assert (np.quantile(naive, quantiles) / truth - 1).min() < -0.3
    assert found["predicted_ctr"].mean() == pytest.approx(chance.mean(), rel=0.05)
    assert found["click"].mean() == pytest.approx(click.mean(), rel=0.1)
    assert found["click"].sum() == pytest.approx(found["predicted_ctr"].sum(), rel=0.1)
    assert len(found) == count and found["place"].max() == count

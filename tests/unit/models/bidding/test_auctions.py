"""Logs become episodes: whole ones, in order of time, and bad files are refused."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.bidding.auctions import from_table, join, read_ipinyou
from models.inputs import InvalidRows


def written(path: Path, lines: list[str]) -> Path:
    with gzip.open(path, "wt") as out:
        out.write("\n".join(lines) + "\n")
    return path


def test_a_replay_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    lines = ["1000\t2", "1", "0\t51\t0.25", "1\t7\t0.5", "2", "0\t3\t0.125", "0\t9\t1e-05"]

    found = read_ipinyou(written(tmp_path / "1458.validation.txt.gz", lines))

    assert found.campaign.tolist() == ["1458", "1458"] and found.auctions == 2
    assert found.market_price.tolist() == [[51, 7], [3, 9]] and found.click.tolist() == [[0, 1], [0, 0]]
    assert found.predicted_ctr.tolist() == [[0.25, 0.5], [0.125, 1e-05]]
    assert found.cost.tolist() == [58, 12]


@pytest.mark.parametrize("lines", [["1000\t2", "1", "0\t51\t0.25"], ["1000\t2", "0\t51\t0.25", "1\t7\t0.5"]])
def test_a_torn_replay_file_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r"1\.txt\.gz: expected whole episodes of 2"):
        read_ipinyou(written(tmp_path / "1.txt.gz", lines))


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "campaign_id": list("babab") * 2,
            "market_price": np.arange(10.0),
            "click": [0, 1] * 5,
            "predicted_ctr": 0.1,
            "occurred_at": pd.date_range("2026-01-03 23:00", periods=10, freq="h")[::-1],
            "channel": ["search", None] * 5,
            "conversion_value": [None, 12.5] * 5,
        }
    )


def test_a_table_is_cut_in_order_of_time_and_leaves_out_what_is_not_whole() -> None:
    found = from_table(table(), length=3)

    assert found.campaign.tolist() == ["a", "b", "b"]
    assert found.market_price.tolist() == [[8, 6, 3], [9, 7, 5], [4, 2, 0]]
    assert found.channels == ("", "search") and found.channel[0].tolist() == [1, 1, 0]
    assert found.hour[1].tolist() == [23, 1, 3] and found.weekday[1].tolist() == [5, 6, 6]
    assert found.value[0].tolist() == [0, 0, 12.5]


def test_a_table_without_extras_has_clicks_for_value_and_no_time() -> None:
    found = from_table(table()[["campaign_id", "market_price", "click", "predicted_ctr"]], length=2)

    assert (found.value == found.click).all() and (found.expected_value == 0.1).all()
    assert not found.hour.any() and found.channels == ("",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"click": None}, "click"),
        ({"market_price": -1.0}, "market_price"),
        ({"predicted_ctr": np.nan}, "predicted_ctr"),
    ],
)
def test_a_gap_or_a_negative_price_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRows) as refused:
        from_table(table().assign(**change), length=2)

    assert refused.value.field == field


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidRows, match="predicted_ctr"):
        from_table(table().drop(columns="predicted_ctr"), length=2)


def test_only_like_episodes_are_joined() -> None:
    with pytest.raises(ValueError, match="episodes to join"):
        join([from_table(table(), 2), from_table(table(), 3)])

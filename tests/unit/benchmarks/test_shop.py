"""The shop that stays as it is: the same rows from a seed, as many as were asked for, and no more of them later."""

import pandas as pd
import pytest

from tests.benchmarks import shop


def test_a_seed_writes_the_same_rows_and_about_as_many_as_were_asked_for(tmp_path):
    read = [pd.read_parquet(shop.write(tmp_path / name, 20_000) / "transactions.parquet") for name in ("a", "b")]
    pd.testing.assert_frame_equal(*read)
    assert len(read[0]) == pytest.approx(20_000, rel=0.1)
    customers = pd.read_parquet(tmp_path / "a" / "customers.parquet")
    assert customers["customer_id"].is_unique and set(customers["customer_id"]) == set(read[0]["customer_id"])


def test_purchases_amounts_and_first_purchases_stay_as_they_are(tmp_path):
    bought = pd.read_parquet(shop.write(tmp_path, 40_000) / "transactions.parquet")
    quarter = (bought["occurred_at"] - pd.Timestamp(shop.START)).dt.days // 91
    by_quarter = bought[quarter < 8].groupby(quarter)["amount"].agg(["size", "mean"])
    assert (by_quarter / by_quarter.mean() - 1).abs().max().max() < 0.1

"""Which families a run is about, and as of when it trains them."""

import io
from pathlib import Path

import business
import pytest
import replays
from rich.console import Console

from components.params import load
from features.settings import Settings
from models.nlp.params import NlpParams
from pipelines.loop import _learnable, trainings

PARAMS = Path(__file__).parents[3] / "params.yaml"


def learnable(family: str | None, folder: Path, told: io.StringIO | None = None) -> list[str]:
    console = Console(file=told or io.StringIO(), width=200)
    return list(_learnable(family, [str(folder)], Settings(home=folder), console))


def test_a_business_with_every_table_runs_every_family(tmp_path):
    assert learnable(None, business.write(tmp_path / "data", customers=10)) == ["churn", "ltv", "bidding"]


def test_a_family_without_its_table_is_left_out_and_that_is_said(tmp_path):
    told = io.StringIO()
    assert learnable(None, replays.write(tmp_path / "data"), told) == ["bidding"]
    assert "churn is left out: it learns from the table 'customers', and there is none" in told.getvalue()


def test_customers_follow_from_what_they_bought(tmp_path):
    (tmp_path / "transactions.csv").write_text("customer_id,occurred_at,amount\nann,2024-01-01,5\n")
    assert learnable(None, tmp_path) == ["churn", "ltv"]


def test_a_family_that_is_asked_for_needs_its_table(tmp_path):
    assert learnable("bidding", replays.write(tmp_path / "data")) == ["bidding"]
    with pytest.raises(ValueError, match=r"ltv learns from the table 'customers'; .*data has: auctions"):
        learnable("ltv", tmp_path / "data")


def test_a_first_run_trains_an_earlier_model_too():
    params = load(PARAMS)
    before, today = trainings("churn", params, first=True)
    assert (before.as_of, before.section, today.as_of) == ("-28d", params.section("churn"), "")
    assert trainings("churn", params, first=False) == [today]


def test_of_texts_which_have_no_dates_the_first_model_is_a_smaller_one():
    params = load(PARAMS)
    before, today = trainings("nlp", params, first=True)
    small, whole = (NlpParams.read(one.section) for one in (before, today))
    assert (before.as_of, small.epochs, 4 * small.max_examples) == ("", 0, whole.max_examples)
    assert dict(today.section) == params.section("nlp")
    assert trainings("nlp", params, first=False) == [today]

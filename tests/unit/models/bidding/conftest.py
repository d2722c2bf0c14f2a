"""Examples of a made-up log, and a policy fitted on them."""

import pandas as pd
import pytest

from models.bidding import training
from models.bidding.examples import examples
from models.bidding.model import BiddingModel
from tests.unit.models.bidding.campaigns import DAILY, PARAMS, log, split, tables


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return examples(tables(log(), tmp_path_factory.mktemp("log")), PARAMS)


@pytest.fixture(scope="module")
def rows(made: pd.DataFrame) -> pd.DataFrame:
    """The examples with what the feature service would know: prices as they are."""
    price = made.groupby("campaign_id")["market_price"].transform("mean")
    return made.assign(price_7d=price, auctions_7d=float(DAILY * 7))


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> BiddingModel:
    """The policy that the examples' own history was played by: pacing as train alone tells the market."""
    train = split(rows, "train")
    return training.baseline("pacing")(train, train.head(0), PARAMS, tmp_path_factory.mktemp("checkpoint"))

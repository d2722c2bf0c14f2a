"""What every source holds to: canonical tables that keep their contracts, the same each time they are read."""

from dataclasses import dataclass
from pathlib import Path

import business
import duckdb
import pandas as pd
import pytest
import replays

from features import sources
from features.contracts import check
from features.settings import Settings
from features.simulator.published import PUBLISHED
from features.sources import shop_intents
from features.tables import SPECS, Tables
from tests.unit.features import test_decision_log

OF_CUSTOMERS = {"customers", "transactions"}
#: The tables that each source must give.
SOURCES = {
    "complete_journey": OF_CUSTOMERS,
    "cdnow": OF_CUSTOMERS,
    "parquet folder": OF_CUSTOMERS,
    "csv folder": OF_CUSTOMERS,
    "ipinyou folder": {"auctions"},
    "auction_simulator": {"auctions"},
    "creative_market": {"creatives", "impressions"},
    "rated_texts": {"texts"},
    "shop_intents": {"texts"},
    "packaged_photos": {"images"},
    "decision log folder": {"auctions"},
}


@dataclass(frozen=True)
class Read:
    """A source by its name and address, and what was read of it."""

    name: str
    address: str
    tables: Tables


@pytest.fixture(scope="module", params=SOURCES)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("source")
    address = request.param
    if address == "ipinyou folder":
        address = str(replays.write(folder / "given"))
    elif address == "decision log folder":
        address = str(test_decision_log.write(folder / "given"))
    elif "folder" in address:
        address = str(business.write(folder / "given", customers=50))
    if request.param == "csv folder":
        for file in list(Path(address).glob("*.parquet")):
            pd.read_parquet(file).to_csv(file.with_suffix(".csv"), index=False)
            file.unlink()
    sources.read([address], folder / "read", Settings(home=folder))
    return Read(request.param, address, Tables(folder / "read"))


def test_keeps_the_contracts(read: Read) -> None:
    check(read.tables.folder)
    assert SOURCES[read.name] <= set(read.tables.names)
    assert all(read.tables.rows().values())


def test_columns_with_a_meaning_have_their_type(read: Read) -> None:
    for table in read.tables.names:
        columns = read.tables.columns(table)
        for name, column in SPECS[table].items():
            assert name in columns or not column.required
            assert columns.get(name, column.type) == column.type, f"{table}.{name}"


def test_reads_the_same_again(read: Read, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    sources.read([read.address], tmp_path / "again", settings)
    assert content(Tables(tmp_path / "again")) == content(read.tables)
    assert sources.fingerprint([read.address], settings) == sources.fingerprint([read.address], settings)


def content(tables: Tables) -> dict[str, tuple[dict[str, str], tuple[int, int]]]:
    """Of each table its columns, and the number and sum of its rows' hashes: DuckDB's own, as quick as reading them."""
    summed = "SELECT count(*), sum(hash(row)) FROM {} AS row"
    return {
        name: (tables.columns(name), duckdb.sql(summed.format(tables.sql(name))).fetchall()[0]) for name in tables.names
    }


def test_fingerprints_tell_sources_apart(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    addresses = [
        "cdnow",
        "complete_journey",
        "auction_simulator",
        "creative_market",
        "rated_texts",
        "shop_intents",
        "packaged_photos",
        str(replays.write(tmp_path / "one")),
    ]
    addresses.append(str(replays.write(tmp_path / "two", campaigns=["8"])))
    assert len({sources.fingerprint([address], settings) for address in addresses}) == len(addresses)


@pytest.mark.parametrize("read", ["complete_journey"], indirect=True)
def test_complete_journey_is_whole(read: Read) -> None:
    assert read.tables.rows() == {"customers": 2469, "transactions": 1469307, "touches": 6589}
    of = {table: duckdb.read_parquet(str(read.tables.path(table))) for table in read.tables.names}
    told, asked = of["customers"].aggregate("count(age), count(*)").fetchall()[0]
    promoted, baskets = of["transactions"].aggregate("avg(on_promotion::INT), count(DISTINCT order_id)").fetchall()[0]
    ((answered,),) = of["touches"].aggregate("count(responded_at)").fetchall()
    assert (told, asked) == (801, 2469)  # households without demographics are kept
    assert 0.2 < promoted < 0.25
    assert baskets == 155848
    assert answered > 500


@pytest.mark.parametrize("read", ["cdnow"], indirect=True)
def test_cdnow_is_whole(read: Read) -> None:
    assert read.tables.rows() == {"customers": 23570, "transactions": 69659}
    bought = pd.read_parquet(read.tables.path("transactions"))
    assert bought["customer_id"].str.len().eq(5).all()
    assert (bought["occurred_at"].min(), bought["occurred_at"].max()) == (
        pd.Timestamp("1997-01-01"),
        pd.Timestamp("1998-06-30"),
    )
    assert bought["amount"].sum() == pytest.approx(2_500_315.63)


@pytest.mark.parametrize("read", ["auction_simulator"], indirect=True)
def test_auction_simulator_is_four_weeks_of_every_campaign(read: Read) -> None:
    auctions = pd.read_parquet(read.tables.path("auctions"))
    assert set(auctions["campaign_id"]) == set(PUBLISHED)
    assert auctions.groupby("campaign_id").size().between(55_000, 57_000).all()
    days = auctions["occurred_at"].dt.normalize()
    assert (days.min(), days.max()) == (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-28"))
    assert auctions.groupby("campaign_id")["occurred_at"].is_monotonic_increasing.all()
    assert auctions["channel"].value_counts(normalize=True)["desktop"] == pytest.approx(0.5, abs=0.01)
    assert (auctions["conversion_value"] > 0).sum() > 50


@pytest.mark.parametrize("read", ["creative_market"], indirect=True)
def test_creative_market_is_open_bandit_beside_the_simulated_campaigns(read: Read) -> None:
    shown = pd.read_parquet(read.tables.path("impressions"))
    logged = shown[shown["campaign_id"].str.startswith("open_bandit")]
    by = logged.groupby(["campaign_id", "arm"])[["impressions", "clicks"]].sum()
    assert by["impressions"].tolist() == [10_000] * 6
    assert sorted(by["clicks"]) == [38, 42, 46, 46, 46, 69]
    assert logged[["conversions", "spend"]].isna().all(axis=None)
    assert shown["experiment_id"].nunique() == 8
    assert shown["campaign_id"].nunique() == 13


@pytest.mark.parametrize("read", ["rated_texts"], indirect=True)
def test_rated_texts_are_whole(read: Read) -> None:
    told = pd.read_parquet(read.tables.path("texts"))
    assert told["score"].notna().sum() == 4200 + 10605 + 3708 + 5190
    remarks = told[told["aspect"].notna()]
    assert len(remarks) == 3 * 145 and remarks["split"].notna().all()
    assert told.loc[told["text"] == "LMAO, AMAZING!", ["label", "score"]].iloc[0].tolist() == [
        "positive",
        pytest.approx(2.857142857 / 4),
    ]
    assert told.groupby("label")["score"].agg(["min", "max"]).loc["neutral"].abs().max() < 0.125


def test_the_texts_of_several_sources_add_up(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    pd.DataFrame({"text": ["where is it"], "label": ["order_status"], "task": ["intent"]}).to_csv(
        own / "texts.csv", index=False
    )
    sources.read(["shop_intents", str(own)], tmp_path / "read", Settings(home=tmp_path))
    found = pd.read_parquet(tmp_path / "read" / "texts.parquet")
    assert len(found) == len(shop_intents.examples()) + 1
    assert found.iloc[-1]["text"] == "where is it"
    check(tmp_path / "read")


@pytest.mark.parametrize("read", ["packaged_photos"], indirect=True)
def test_packaged_photos_are_pieces_of_twelve_photographs(read: Read) -> None:
    told = pd.read_parquet(read.tables.path("images"))
    assert told.groupby("split").size().to_dict() == {"train": 198, "valid": 66, "test": 132}
    assert (told.loc[told["label"] == "sharp", "rating"] == 5).all()
    assert told["rating"].between(1, 5).all() and told["uri"].is_unique
    assert told.groupby("label").size().to_dict() == {
        "sharp": 36,
        **dict.fromkeys(("blurred", "compressed", "noisy", "dark", "washed_out"), 72),
    }


def test_an_intent_has_examples_in_both_languages_and_no_text_two() -> None:
    told = shop_intents.examples()
    counts = told.groupby(["label", "language"]).size().unstack()
    assert len(counts) >= 16 and counts.min(axis=None) >= 10 and counts.sum(axis=1).min() >= 20
    assert not told["text"].str.casefold().duplicated().any()

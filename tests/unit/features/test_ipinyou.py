"""Replay files become auctions in their order, and a file that is not whole is named with what is wrong."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import replays

from features import sources
from features.contracts import ContractBroken
from features.settings import Settings
from models.bidding.auctions import from_table, read_ipinyou

LOGGED = Path(__file__).parents[4] / "shared" / "data" / "ipinyou_rlb"
SMALL = "9\t2\n1\n0\t51\t0.001\n1\t87\t0.25\n2\n0\t12\t0.5\n0\t300\t0\n"


def read(source: Path, tmp_path: Path) -> pd.DataFrame:
    sources.read([str(source)], tmp_path / "read", Settings(home=tmp_path / "home"))
    return pd.read_parquet(tmp_path / "read" / "auctions.parquet")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "007.validation.txt").write_text(SMALL)
    return folder


def test_lines_are_auctions_with_their_campaign_and_episode(source: Path, tmp_path: Path) -> None:
    (source / "SOURCE.txt").write_text("no replay")
    expected = pd.DataFrame(
        {
            "campaign_id": ["007"] * 4,
            "episode": [1, 1, 2, 2],
            "market_price": [51.0, 87.0, 12.0, 300.0],
            "click": [0.0, 1.0, 0.0, 0.0],
            "predicted_ctr": [0.001, 0.25, 0.5, 0.0],
        }
    )
    pd.testing.assert_frame_equal(read(source, tmp_path), expected)


@pytest.mark.parametrize("kind", ["made up", "logged"])
def test_the_table_holds_the_episodes_that_the_files_hold(kind: str, tmp_path: Path) -> None:
    if kind == "logged" and not LOGGED.is_dir():
        pytest.skip(f"no logged auctions in {LOGGED}")
    source = replays.write(tmp_path / "source")
    if kind == "logged":
        source = tmp_path / "logged"
        source.mkdir()
        shutil.copy(LOGGED / "2997.validation.txt.gz", source)
    auctions, length = read(source, tmp_path), 1000 if kind == "logged" else 25
    assert auctions.groupby(["campaign_id", "episode"]).size().eq(length).all()
    files = sorted(source.glob("*.validation.txt.gz"))
    assert set(auctions["campaign_id"]) == {file.name.partition(".")[0] for file in files}
    found = from_table(auctions, length)
    for file in files:
        expected = read_ipinyou(file)
        episodes = found.of(expected.campaigns[0])
        assert np.array_equal(episodes.market_price, expected.market_price)
        assert np.array_equal(episodes.click, expected.click)
        assert episodes.predicted_ctr == pytest.approx(expected.predicted_ctr, rel=1e-12)  # pandas rounds differently


@pytest.mark.parametrize(
    ("text", "column", "rule"),
    [
        (SMALL.replace("87", "a lot"), "market_price", "values are numbers"),
        (SMALL.replace("0\t12\t0.5", "0\t\t0.5"), "market_price", "values are numbers"),
        (SMALL.replace("0\t12\t0.5", "\t12\t0.5"), "click", "values are numbers"),
        (SMALL.replace("0\t12\t0.5", "0\t12"), "predicted_ctr", "values are numbers"),
        (SMALL.replace("1\t87\t0.25\n", ""), "episode", "in the first line"),
        (SMALL.removesuffix("0\t300\t0\n"), "episode", "in the first line"),
        (SMALL.replace("9\t2\n1\n", "9\t2\n"), "episode", "in the first line"),
        (SMALL.replace("2\n0\t12", "2\n3\n0\t12"), "episode", "in the first line"),
        (SMALL + "3\n", "episode", "in the first line"),
        (SMALL.replace("9\t2\n", "9\n"), "episode", "in the first line"),
        ("", "episode", "in the first line"),
    ],
)
def test_a_file_that_is_not_whole_is_named(source: Path, tmp_path: Path, text: str, column: str, rule: str) -> None:
    with gzip.open(source / "8.validation.txt.gz", "wt") as file:
        file.write(text)
    with pytest.raises(ContractBroken) as caught:
        read(source, tmp_path)
    assert (caught.value.table, caught.value.column) == ("auctions", column)
    assert "8.validation.txt.gz" in caught.value.rule
    assert caught.value.rule.endswith(rule)


def test_the_fingerprint_follows_the_files(source: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    before = sources.fingerprint([str(source)], settings)
    (source / "007.validation.txt").write_text(SMALL.replace("87", "88"))
    assert sources.fingerprint([str(source)], settings) != before

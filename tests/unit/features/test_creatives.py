"""Creatives and their impressions: what is refused, and what is known of a creative at a moment."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features import sources
from features.attribute_names import safe
from features.contracts import ContractBroken, check
from features.settings import Settings
from features.tables import Tables
from features.transforms import CREATIVE, GROUPS

DAY = pd.Timestamp("2024-03-01")
CREATIVES = [
    {"creative_id": "old", "campaign_id": "spring", "headline": "10 city trips", "format": "image"},
    {"creative_id": "few", "campaign_id": "spring", "headline": "City trips", "format": "image"},
    {"creative_id": "new", "campaign_id": "spring", "headline": "Train tickets", "format": "image"},
]
SHOWN = {"creative_id": "old", "campaign_id": "spring", "occurred_at": DAY, "impressions": 100.0, "clicks": 2.0}


def write(folder: Path, shown: list[dict[str, Any]], creatives: Any = CREATIVES, **more: Any) -> Tables:
    folder.mkdir(exist_ok=True)
    for name, rows in {"creatives": creatives, "impressions": shown, **more}.items():
        pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet", index=False, coerce_timestamps="us")
    return Tables(folder)


def look(tables: Tables, at: str, ids: tuple[str, ...] = ("old", "few", "new")) -> pd.DataFrame:
    spine = pd.DataFrame({"creative_id": ids, "event_timestamp": pd.Timestamp(at)})
    with CREATIVE.open_history(tables, spine) as db:
        groups = [group for group in GROUPS.values() if group.entity == CREATIVE]
        frames = [db.sql(group.sql(tables)).df().set_index("creative_id").sort_index() for group in groups]
    found = pd.concat(frames, axis=1)
    return found.loc[:, ~found.columns.duplicated()]


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ({"impressions": 0.0, "clicks": 1.0}, "clicks"),
        ({"clicks": 101.0}, "clicks"),
        ({"spend": -0.5}, "spend"),
        ({"impressions": -1.0, "clicks": -1.0}, "impressions"),
        ({"conversions": -1.0}, "conversions"),
        ({"propensity": 1.5}, "propensity"),
        ({"creative_id": "gone"}, "creative_id"),
        ({"creative_id": None}, "creative_id"),
    ],
)
def test_a_wrong_row_is_named_with_its_column(wrong: dict[str, Any], column: str, tmp_path: Path) -> None:
    write(tmp_path, [SHOWN, SHOWN | wrong | {"audience": "here"}])
    with pytest.raises(ContractBroken) as error:
        check(tmp_path)
    assert (error.value.table, error.value.column) == ("impressions", column)
    assert [row["audience"] for row in error.value.rows] == ["here"]


def test_more_conversions_than_clicks_are_no_error(tmp_path: Path) -> None:
    """Some people see an ad and come later of their own accord."""
    write(tmp_path, [SHOWN | {"clicks": 1.0, "conversions": 3.0}])
    check(tmp_path)


def test_a_creative_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, [SHOWN], [*CREATIVES, CREATIVES[0] | {"headline": "Other words"}])
    with pytest.raises(ContractBroken, match="creative_id is unique") as error:
        check(tmp_path)
    assert {row["headline"] for row in error.value.rows} == {"10 city trips", "Other words"}


def test_impressions_alone_need_creatives(tmp_path: Path) -> None:
    write(tmp_path, [SHOWN])
    (tmp_path / "creatives.parquet").unlink()
    with pytest.raises(ContractBroken, match=r"table 'creatives'.*is required"):
        check(tmp_path)


def test_creatives_are_derived_from_a_folder_of_impressions(tmp_path: Path) -> None:
    rows = [SHOWN, SHOWN | {"creative_id": "both"}, SHOWN | {"creative_id": "both", "campaign_id": "autumn"}]
    given = tmp_path / "given"
    given.mkdir()
    pd.DataFrame(rows).to_csv(given / "impressions.csv", index=False)
    sources.read([str(given)], tmp_path / "read", Settings(home=tmp_path))
    check(tmp_path / "read")
    made = pd.read_parquet(tmp_path / "read" / "creatives.parquet").set_index("creative_id")["campaign_id"]
    assert made["old"] == "spring"
    assert made.isna()["both"]


def test_outcomes_in_a_file_of_creatives_are_no_attributes(tmp_path: Path) -> None:
    """As attributes they would tell the label."""
    given = tmp_path / "given"
    given.mkdir()
    pd.DataFrame([SHOWN]).to_csv(given / "impressions.csv", index=False)
    told = {"creative_id": "old", "Clicks": 5, "Total_Conversion": 1, "Spent": 2.5, "ctr": 0.1, "colour": "red"}
    pd.DataFrame([told]).to_csv(given / "creatives.csv", index=False)
    notes = sources.read([str(given)], tmp_path / "read", Settings(home=tmp_path))
    assert Tables(tmp_path / "read").attributes("creatives") == {"colour": "VARCHAR"}
    assert sum("what came of a creative" in note for note in notes) == 4


def test_names_of_answers_and_features_are_reserved_for_creatives_only() -> None:
    for name in ("ctr_strength", "cpc_high", "channel", "ctr_lift", "headline_y"):
        assert safe(name, (), "creatives") == f"{name}_attribute"
    assert safe("ctr_lift", ()) == "ctr_lift"


def test_a_few_lucky_impressions_rank_below_a_long_good_record(tmp_path: Path) -> None:
    """2 clicks on 11 impressions (18%) are worth less than 3% on 40,000; the campaign's others make 1%."""
    others = [SHOWN | {"creative_id": f"other{n}", "impressions": 20_000.0, "clicks": 200.0 + 5 * n} for n in range(9)]
    rows = [
        SHOWN | {"impressions": 40_000.0, "clicks": 1_200.0},
        SHOWN | {"creative_id": "few", "impressions": 11.0, "clicks": 2.0},
        *others,
    ]
    creatives = [*CREATIVES, *(CREATIVES[0] | {"creative_id": one["creative_id"]} for one in others)]
    seen = look(write(tmp_path, rows, creatives), "2024-03-02")
    assert seen["ctr_lift"]["old"] > seen["ctr_lift"]["few"] > seen["ctr_lift"]["new"] == seen["format_lift"]["new"]
    assert seen["ctr_lift"]["old"] * seen["campaign_ctr"]["old"] == pytest.approx(0.03, rel=0.02)


def test_a_day_is_known_from_its_end_on(tmp_path: Path) -> None:
    tables = write(tmp_path, [SHOWN, SHOWN | {"occurred_at": DAY + pd.Timedelta(hours=30)}])
    during, after = look(tables, "2024-03-02 12:00"), look(tables, "2024-03-03")
    assert (during["shown_clicks"]["old"], after["shown_clicks"]["old"]) == (2, 4)
    assert (after["shown_age_days"]["old"], after["shown_idle_days"]["old"]) == (2, 0)
    assert after["campaign_share_7d"]["old"] == 1


def test_what_was_not_counted_is_unknown_and_no_zero(tmp_path: Path) -> None:
    seen = look(write(tmp_path, [SHOWN]), "2024-03-02").loc["old"]
    assert seen[["campaign_conversion_rate", "campaign_engagement", "campaign_cpc"]].isna().all()
    counted = SHOWN | {"creative_id": "few", "conversions": 1.0}
    tables = write(tmp_path, [SHOWN | {"conversions": None}, counted])
    assert look(tables, "2024-03-02")["campaign_conversion_rate"]["old"] == pytest.approx(0.5)


def test_a_creatives_contexts_are_no_merit_of_its_own(tmp_path: Path) -> None:
    """Shown where everybody clicks twice as much, both are as good as their contexts."""
    places = {"old": ("feed", 400.0), "few": ("story", 200.0)}
    rows = [
        SHOWN | {"creative_id": one, "channel": channel, "impressions": 10_000.0, "clicks": clicks}
        for one, (channel, clicks) in places.items()
    ]
    peers = [row | {"creative_id": "new"} for row in rows]
    seen = look(write(tmp_path, rows + peers), "2024-03-02")
    assert seen["ctr_lift"].tolist() == pytest.approx([1, 1, 1], abs=0.03)


def test_benchmarks_of_the_format_stand_beside(tmp_path: Path) -> None:
    told = [
        {"format": "image", "ctr": 0.01, "occurred_at": DAY},
        {"format": "image", "ctr": 0.02, "occurred_at": DAY + pd.Timedelta(days=5)},
        {"format": "video", "ctr": 0.05, "occurred_at": DAY},
    ]
    tables = write(tmp_path, [SHOWN], benchmarks=told)
    check(tmp_path)
    assert look(tables, "2024-03-02")["benchmark_ctr"]["new"] == 0.01
    assert look(tables, "2024-03-08")["benchmark_ctr"]["new"] == 0.02

"""A campaign's file is read whole, and what is wrong with it is told with file, line and field."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.yaml_file import InvalidFile
from serving import campaigns
from serving.campaigns.reading import plan_of, read_plan, read_text

EXAMPLE = Path(campaigns.__file__).with_name("example.yaml")


SEGMENTS = b"""segments:
  - {name: best, scores: /etc, contacts: /etc/passwd, column: value, top: 0.1}
platforms:"""


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = EXAMPLE.read_text()
    assert old in text
    path = tmp_path / "spring.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_the_example_is_a_campaign_and_a_version_keeps_all_of_it() -> None:
    plan, text = read_plan(EXAMPLE)
    assert plan.name == "malt-spring" and plan.share("google_ads") == 1.0
    assert plan_of(text) == plan
    assert (plan.starts_at, plan.ends_at) == (
        datetime(2027, 2, 28, 23, tzinfo=UTC),
        datetime(2027, 3, 30, 22, tzinfo=UTC),  # summer time began between them
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("budget: {daily: 60", "budgets: {daily: 60", r"line 7: budgets: unknown field; did you mean budget\?"),
        ("headlines:", "headlins:", r"line 38: platforms.google_ads.*headlins: unknown field; did you mean headlines"),
        ("daily: 60", "daily: -60", r"line 7: budget\.daily: Input should be greater than 0"),
        ("total: 1800", "total: 50", r"line 7: budget\.total: expected at least the daily budget \(60\), got 50"),
        ("end: 2027-03-30", "end: 2027-02-01", r"line 8: dates\.end: expected a day not before the start"),
        ("currency: EUR", "currency: EURO", r"line 4: currency: expected a currency of ISO 4217, got 'EURO'; .* EUR"),
        ("zone: Europe/Berlin", "zone: Europe/Berlni", r"line 5: zone: .*did you mean Europe/Berlin\?"),
        ("google_ads:", "gogle_ads:", r"line 22: platforms\.gogle_ads.*did you mean google_ads\?"),
        ("match: exact", "match: exakt", r"line 30: .*keywords\.1\.match"),
        ("daily: 60", 'daily: "60"', r"line 7: budget\.daily: Input should be a valid number"),
        ("goal: {cost_per_conversion: 20}", "goal: {}", r"line 6: goal: expected cost_per_conversion or roas"),
        ("holdout: 0.1", "holdout: 0.1\nholdout: 0", r"line 10: holdout: is in line 9 already"),
        ("zone: Europe/Berlin", "", r"zone: Field required"),
        ("sheet:  ", "audience: {}\nsheet:  ", r"line 14: audience: unknown field; did you mean audiences\?"),
        ("bid: 0.8", "bid: 0.8\n        audiences: [best]", r"audiences: expected names of segments, got 'best'"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidFile, match=r"spring\.yaml.*" + said):
        read_plan(changed(tmp_path, old, new))


def test_copy_sheet_and_brief_are_read_from_the_files_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(
        "google.search.headline: [Shoes for Wet Days]\ngoogle.search.description: [Dry]"
    )
    (tmp_path / "brief.yaml").write_text("market: us")
    path = changed(tmp_path, "format: google.search", "copy: copy.yaml")
    path.write_text(path.read_text().replace("brief: {market: uk}", "brief: brief.yaml"))
    plan, text = read_plan(path)
    (_, _, ad), *_ = plan.ads()
    assert ad.format == "google.search" and ad.headlines[-1] == "Shoes for Wet Days" and ad.bodies[-1] == "Dry"
    assert plan.brief.market == "us" and "brief.yaml" not in text


def test_a_named_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"spring\.yaml: copy: there is no file copy\.yaml in"):
        read_plan(changed(tmp_path, "format: google.search", "copy: copy.yaml"))


def test_a_plan_from_the_network_reads_no_file_of_this_machine() -> None:
    text = EXAMPLE.read_bytes()
    assert read_text(text, "body")[0].name == "malt-spring"
    with pytest.raises(InvalidFile, match="names files of a machine"):
        read_text(text.replace(b"platforms:", SEGMENTS), "body")
    with pytest.raises(InvalidFile, match="copy: unknown field"):
        read_text(text.replace(b"format: google.search", b"copy: /etc/passwd"), "body")


def test_shares_of_the_budget_add_up(tmp_path: Path) -> None:
    second = EXAMPLE.read_text().split("platforms:\n")[1].replace("google_ads", "meta")
    path = tmp_path / "two.yaml"
    path.write_text(EXAMPLE.read_text() + second)
    assert read_plan(path)[0].share("meta") == 0.5
    path.write_text(EXAMPLE.read_text() + second.replace("    account", "    share: 0.8\n    account"))
    assert read_plan(path)[0].share("google_ads") == pytest.approx(0.2)
    path.write_text(EXAMPLE.read_text() + second.replace("    account", "    share: 1\n    account"))
    with pytest.raises(InvalidFile, match="none left"):
        read_plan(path)

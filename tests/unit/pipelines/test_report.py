import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from pipelines.report import wording, write
from pipelines.report.curves import bins, captured, gain
from pipelines.report.page import plots_of
from pipelines.report.records import FamilyReport, Figure, Report
from pipelines.report.terminal import table
from pipelines.report.wording import duration, number, promise
from tests.unit.pipelines.sample import amounts, chances, churn, ltv, report, simulation


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home") / "report"
    write(report(), folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "index.html").read_text()


class Tags(HTMLParser):
    """Every element that opens must close: a page that only browsers' patience holds together is not well made."""

    VOID = ("meta", "br", "img", "path", "use", "rect")

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], []

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_fetches_nothing(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert {"churn", "ltv", "bidding"} <= set(tags.ids)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|@import|url\((?!#)|<script""", page)


def test_each_family_gets_the_plots_its_answers_allow(page):
    labels = re.findall(r'aria-label="([^"]+)"', page)
    assert labels == [
        "churn: metrics and baselines",
        "churn: gain",
        "churn: lift",
        "churn: calibration",
        "ltv: metrics and baselines",
        "ltv: gain",
        "ltv: lift",
        "ltv: predicted and actual",
        "ltv: individual customers",
        "simulation: spend over the day",
        "simulation: bids over the day",
        "simulation: worth over the day",
        "simulation: worth per spend by campaign",
    ]


def test_plots_take_the_pages_colours(page):
    assert "var(--model)" in page
    assert not re.search(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]\b", page)


def test_text_from_outside_is_escaped(page):
    assert "gini &lt;b&gt;.741&lt;/b&gt;" in page
    assert "<b>.741" not in page


def test_the_page_tells_figures_gates_course_drift_and_lineage(page):
    text = re.sub(r"<[^>]+>", " ", page)
    for said in (
        "0.861",
        "[0.842, 0.879]",
        "refused",
        "rolled back",
        "errors 4.2%",
        "recency_days",
        "5d41402abc4b2a76",
    ):
        assert said in text


def test_the_summary_has_the_same_figures_for_machines(folder):
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["seconds"] == 412.0
    family = summary["families"]["churn"]
    assert {"metrics", "baseline", "gates", "version", "data_hash", "release", "drift"} <= set(family)
    assert family["metrics"]["auc"]["value"] == 0.861
    assert family["baseline"]["auc"] == {"recency": 0.812, "logistic": 0.848}
    assert family["data_hash"].startswith("sha256:5d41")
    assert [step["percent"] for step in family["release"]["steps"]] == [10, 50, 100]
    assert summary["families"]["bidding"]["release"] is None


def test_the_simulated_day_is_told_on_the_page_for_machines_and_in_a_line(page, folder):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for said in ("3.25 [2.5, 4]", "1.31 [1.25, 1.52]", "96.0%", "account limit 82", "3,360 decisions", "OVERSPENT"):
        assert said in text
    assert "c<0>" not in page
    told = json.loads((folder / "summary.json").read_text())["simulation"]
    assert told["against"]["constant"] == {"value": 1.31, "low": 1.25, "high": 1.52}
    assert told["batched"]["per_s"] == 1512.0 and "hours" not in told
    assert "1.31 [1.25, 1.52] times constant's" in wording.in_short(simulation())


def test_without_a_simulation_the_page_has_no_section_of_it(tmp_path):
    write(Report((churn(),)), tmp_path)
    assert 'id="simulation"' not in (tmp_path / "index.html").read_text()
    assert json.loads((tmp_path / "summary.json").read_text())["simulation"] is None


def test_nothing_is_left_aside(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "summary.json"]


def test_a_page_that_cannot_be_drawn_leaves_the_earlier_one(tmp_path):
    write(Report((ltv(),)), tmp_path)
    earlier = (tmp_path / "index.html").read_text()
    broken = FamilyReport("ltv", held_out=pd.DataFrame({"truth": [1.0, 2.0]}))
    with pytest.raises(KeyError, match="predicted"):
        write(Report((broken,)), tmp_path)
    assert (tmp_path / "index.html").read_text() == earlier


def test_a_metric_that_is_undefined_for_a_baseline_is_drawn_without_it(tmp_path):
    figure = Figure("spearman", 0.8, 0.7, 0.9, {"most_frequent": None, "frozen_linear": 0.75})
    write(Report((FamilyReport("vision", metrics=(figure,)),)), tmp_path)
    drawn = (tmp_path / "index.html").read_text().partition("<svg")[2].partition("</svg>")[0]
    assert "frozen backbone" in drawn and "most frequent" not in drawn


def test_the_terminal_table_says_each_familys_state_in_a_row():
    console = Console(width=200, record=True)
    console.print(table(report()))
    text = console.export_text()
    rows = {line.split()[1]: line for line in text.splitlines() if line.startswith("│")}
    assert "AUC 0.861 [0.842, 0.879]" in rows["churn"]
    assert "recency 0.812" in rows["churn"]
    assert "released at 100%" in rows["churn"]
    assert "refused by better than naive" in rows["ltv"]
    assert "rolled back at 10%" in rows["ltv"]
    assert "not registered" in rows["bidding"]
    assert "6 m 52 s in all" in text


def test_gain_of_a_perfect_and_of_a_blind_ranking():
    rows = pd.DataFrame({"truth": [1, 1, 0, 0, 0, 0, 0, 0], "perfect": np.arange(8)[::-1], "blind": 1.0})
    assert captured(rows, 0.25, "perfect") == 1.0
    assert captured(rows, 0.25, "blind") == pytest.approx(0.25)
    taken, found = gain(rows, "perfect")
    assert (taken[0], found[0], taken[-1], found[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("rows", [chances(), amounts(), chances(7)])
def test_bins_hold_every_customer_and_bracket_what_came(rows):
    cut = bins(rows)
    assert len(cut.actual) == min(10, len(rows))
    assert (np.diff(cut.predicted) >= 0).all()
    assert (cut.low <= cut.actual).all()
    assert (cut.actual <= cut.high).all()


def test_the_promise_speaks_of_cases_or_of_value():
    assert "of all cases" in promise(churn())
    assert "of all value" in promise(ltv())
    assert promise(FamilyReport("bidding")) is None


@pytest.mark.parametrize("family", [churn(), ltv()])
def test_plots_and_promise_name_what_is_ranked(family):
    creatives = replace(family, name="creative", subject="creative")
    said = [promise(creatives), *(text for plot in plots_of(creatives) for text in (plot.svg, plot.caption))]
    assert not [text for text in said if "customer" in text]
    assert "10% of creatives" in said[0] and any("tenth of creatives" in text for text in said)


@pytest.mark.parametrize(
    ("value", "said"), [(0.8612, "0.861"), (32.684, "32.7"), (1234567.0, "1,234,567"), (None, "-"), (float("nan"), "-")]
)
def test_numbers_read_short(value, said):
    assert number(value) == said


@pytest.mark.parametrize(("seconds", "said"), [(412.0, "6 m 52 s"), (59.7, "1 m 00 s"), (12.2, "12 s"), (None, "-")])
def test_durations_read_as_minutes_and_seconds(seconds, said):
    assert duration(seconds) == said

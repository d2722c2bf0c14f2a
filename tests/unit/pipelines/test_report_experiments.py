"""Experiments in the report: the table, the plots of the course, JSON, and what `adloop run` finds in impressions."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from features.schema import Schema
from features.settings import Settings
from pipelines.loop import _experiments
from pipelines.report import publish, write
from pipelines.report.records import Report
from pipelines.report.terminal import table
from pipelines.report.trial_plots import effect_plot
from pipelines.report.trials import notes
from serving.experiments.trials import account
from serving.experiments.trials.assess import assess
from serving.experiments.trials.registry import ExperimentRegistry
from tests.unit.serving.experiments.trials.made import START, after, drawn, experiment


def found(name, rate, days=28, spend=None, seed=0):
    frame = drawn(np.random.default_rng(seed), 1200, rate, days)
    return replace(assess(experiment(name=name), frame, after(frame)), spend=spend)


@pytest.fixture(scope="module")
def shown():
    """A shipped one, one without an effect, and one that is withheld."""
    return (
        found("headline <b>", (0.05, 0.065), spend=80.0),
        found("button", (0.05, 0.05), seed=1),
        found("early", (0.05, 0.2), days=5),
    )


@pytest.fixture(scope="module")
def page(shown, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(Report((), experiments=shown), folder)
    return (folder / "index.html").read_text(), json.loads((folder / "summary.json").read_text())


def test_the_course_of_each_experiment_is_drawn_and_withheld_ones_show_their_exposure_only(page):
    labels = re.findall(r'aria-label="([^"]+)"', page[0])
    assert labels[0] == "experiments: effects"
    assert [label for label in labels if label.startswith("early")] == ["early: exposure"]
    of_button = [label.partition(": ")[2] for label in labels if label.startswith("button")]
    assert of_button == ["exposure", "effect", "belief", "regret", "fatigue"]


@pytest.mark.parametrize("unbounded", [float("inf"), None])
def test_an_effect_without_an_upper_bound_is_drawn_with_the_others(shown, unbounded):
    one = shown[0]
    daily = [replace(day, high=(unbounded,)) if day.effect and at < 10 else day for at, day in enumerate(one.daily)]
    assert "<path" in effect_plot(replace(one, daily=tuple(daily)))


def test_names_are_escaped(page):
    assert "headline <b>" not in page[0]
    assert "headline &lt;b&gt;" in page[0]


def test_effects_are_raw_and_corrected_on_the_page_and_in_the_figures(page, shown):
    figures = page[1]["experiments"]
    shipped = figures["findings"]["headline <b>"]
    raw, better = shipped["effects"][0]["value"], shipped["corrected"]["B"]["value"]
    assert 0 < better < raw
    assert f"{raw:+.1%}" in page[0]
    assert f"{better:+.1%}" in page[0]
    assert figures["findings"]["early"]["effects"] == []
    (total,) = figures["cumulative"]
    assert total["experiments"] == 1
    assert total["low"] < total["value"] < total["raw"]


def test_the_budget_follows_the_corrected_effect(shown):
    learnt = account.spread(shown)
    budget = account.budget(shown[0], learnt)
    assert budget.now == 80
    better = account.corrected(shown[0].effects[0], learnt).value
    assert budget.corrected == pytest.approx(80 * (1 + better))
    assert 80 < budget.corrected < budget.raw
    assert any("may become" in line for line in notes(shown[0], learnt))
    assert account.budget(shown[1], learnt) is None


def test_gains_of_several_experiments_add_up_and_so_do_their_variances(shown):
    both = (shown[0], replace(shown[0], name="again"))
    learnt = account.spread(both)
    (one,), (two,) = account.cumulative(both[:1], learnt), account.cumulative(both, learnt)
    assert two.value == pytest.approx(2 * one.value)
    assert two.high - two.low == pytest.approx(np.sqrt(2) * (one.high - one.low))


def test_the_terminal_counts_the_verdicts(shown):
    console = Console(width=200, record=True)
    console.print(table(Report((), experiments=shown)))
    assert "3 experiments: 1 ship, 1 keep, 1 withheld" in " ".join(console.export_text().split())


def test_a_run_looks_at_the_experiments_in_impressions(tmp_path):
    rng, days = np.random.default_rng(3), pd.date_range(START, periods=14)
    rows = pd.DataFrame({"occurred_at": np.repeat(days, 3), "arm": np.tile(["A", "B", None], 14)})
    rows["creative_id"] = rows["arm"].fillna("c")
    rows["experiment_id"] = np.where(rows["arm"].notna(), "planned", None)
    rows["impressions"] = 2000
    rows["clicks"] = rng.binomial(2000, np.where(rows["arm"] == "B", 0.08, 0.05))
    rows["spend"] = rows["clicks"] * 0.4
    data, settings = tmp_path / "data", Settings(home=tmp_path / "home")
    data.mkdir()
    other = rows[rows["arm"].notna()].assign(
        experiment_id="by chance", clicks=lambda it: rng.binomial(2000, 0.05, len(it))
    )
    alone = rows[rows["arm"] == "A"].assign(experiment_id="alone")
    elsewhere = rows[rows["arm"].notna()].assign(experiment_id="elsewhere")
    pd.concat([rows, other, alone, elsewhere]).to_csv(data / "impressions.csv", index=False)
    registry = ExperimentRegistry(settings)
    registry.plan(experiment(name="planned", state="planned", started_on=None))
    registry.plan(experiment(name="elsewhere", layer="mail", metric="orders", state="planned", started_on=None))
    for name in ("planned", "elsewhere"):
        registry.start(name, START)
    told = io.StringIO()
    _experiments([str(data)], settings, Console(file=told, width=200), Schema())
    assert "looked at 2" in told.getvalue()
    assert "experiment alone: it has one arm only" in told.getvalue()
    assert "experiment elsewhere: the data have no row of metric 'orders'" in told.getvalue()
    first, second = registry.findings()
    assert (first.name, first.planned, first.verdict.word) == ("by chance", False, "running")
    assert (second.name, second.planned, str(second.verdict)) == ("planned", True, "ship B")
    assert second.spend == pytest.approx(rows[rows["arm"].notna()]["spend"].sum() / 14)
    assert [one.name for one in publish(settings).experiments] == ["by chance", "planned"]


def test_impressions_without_experiments_are_passed_over(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    pd.DataFrame({"creative_id": ["a"], "occurred_at": [START], "impressions": [10], "clicks": [1]}).to_csv(
        data / "impressions.csv", index=False
    )
    told = io.StringIO()
    _experiments([str(data)], Settings(home=tmp_path), Console(file=told, width=200), Schema())
    assert "holds no experiment" in told.getvalue()
    assert not (tmp_path / "experiments" / "findings").exists()

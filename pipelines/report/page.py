"""The report as one HTML page: style and plots inline, nothing fetched, every value escaped."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from pipelines.report import trials, wording
from pipelines.report.curves import is_chance
from pipelines.report.records import FamilyReport, Report
from serving.experiments.trials import account

if TYPE_CHECKING:
    from pipelines.example_picture import ExampleDrawing
    from serving.experiments.simulation.records import Simulation
    from serving.experiments.trials.findings import Findings

#: Most experiments whose course is drawn; the table has all.
DRAWN = 4
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Plot:
    """A plot and its caption."""

    svg: Markup
    caption: str
    wide: bool = False


def render(report: Report) -> str:
    """Render the HTML page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template("page.html.j2").render(
        report=report,
        words=wording,
        plots={family.name: list(plots_of(family)) for family in report.families},
        simulated=simulated_plots(report.simulation) if report.simulation else [],
        listened=listening_plots(report),
        pictures=[inline(one) for one in report.drawings],
        trials=trials,
        learnt=account.spread(report.experiments),
        gains=account.cumulative(report.experiments, account.spread(report.experiments)),
        effects_plot=effects_plot(report),
        trial_plots={one.name: trial_plots(one) for one in drawn(report)},
        style=Markup((TEMPLATES / "style.css").read_text()),  # noqa: S704  our own file
        written=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
    )


def plots_of(family: FamilyReport) -> list[Plot]:
    """The plots of a family: metrics with intervals, then ranking and calibration where its records allow them."""
    from pipelines.report import plots as draw

    drawn = []
    defined = [figure for figure in family.metrics if figure.value is not None]
    if defined:
        svg = draw.metrics_plot(tuple(defined), f"{family.name}: metrics and baselines")
        drawn.append(
            (
                svg,
                "Dot: this model, with its 95% interval. Hollow marks: the baselines. The arrow points to better.",
                True,
            )
        )
    rows = family.held_out
    if rows is not None and rows["truth"].sum() > 0:
        found = "cases found" if is_chance(rows) else "value captured"
        drawn.append(
            (
                draw.gain_plot(rows, family.subject, f"{family.name}: gain"),
                f"Share of all {found} by taking only the best-ranked.",
                False,
            )
        )
        drawn.append(
            (
                draw.lift_plot(rows, family.subject, f"{family.name}: lift"),
                f"Lift: mean of each tenth of {family.subject}s over the overall mean.",
                False,
            )
        )
        drawn += _calibration(family, rows)
    return [Plot(Markup(svg), caption, wide) for svg, caption, wide in drawn]  # noqa: S704  drawn here, labels escaped


def simulated_plots(done: "Simulation") -> list[Plot]:
    """Plots of spend, bids and value of the engine and the baseline rules."""
    from pipelines.report import simulated as draw

    drawn = [
        (
            draw.spend_plot(done),
            "Cumulative spend as a share of the budgets, on an average day. Dotted: an even pace.",
            False,
        ),
        (draw.bid_plot(done), "Mean bid of each hour, next to the constant rule's bid for the same campaign.", False),
        (
            draw.worth_plot(done),
            "What was bought so far, by the simulator's true rates, as a share of all budgets.",
            False,
        ),
        (
            draw.campaign_plot(done),
            "Worth for each unit of money spent, campaign by campaign, with its budget a day.",
            True,
        ),
    ]
    if done.creatives is not None:
        told = "Creatives chosen in the same placements, by the market's true click rates, campaign by campaign."
        drawn.append((draw.creative_plot(done.creatives), told, True))
    return [Plot(Markup(svg), caption, wide) for svg, caption, wide in drawn]  # noqa: S704  drawn here, labels escaped


def listening_plots(report: Report) -> list[Plot]:
    """Sentiment by brand, and negative voices of the first brand."""
    from pipelines.report import listening as draw

    if not report.listening:
        return []
    made = [
        (draw.sentiment_plot(report.listening), "Mean sentiment of seven days. Simulated times; real rated tweets."),
        (
            draw.voices_plot(report.listening[0]),
            "Negative voices a day beside their forecast. A burst of forty within an hour was simulated.",
        ),
    ]
    return [Plot(Markup(svg), caption, True) for svg, caption in made]  # noqa: S704  drawn here, labels escaped


def inline(drawing: "ExampleDrawing") -> Markup:
    """A drawing within the page."""
    content = b64encode(drawing.content).decode()
    return Markup('<img alt="{}" src="data:image/jpeg;base64,{}">').format(drawing.name, content)


def drawn(report: Report) -> "list[Findings]":
    """The experiments whose course is drawn: planned ones first, those with a verdict before others, newest first."""
    shown = [one for one in report.experiments if one.daily]
    newest = sorted(shown, key=lambda one: one.daily[-1].day, reverse=True)
    return sorted(newest, key=lambda one: (not one.planned, not one.verdict.decided))[:DRAWN]


def effects_plot(report: Report) -> Plot | None:
    """Effects of all experiments beside each other, raw and corrected; None without any."""
    from pipelines.report import trial_plots as draw

    learnt = account.spread(report.experiments)
    told = [one for one in report.experiments if one.effects]
    if not told:
        return None
    caption = (
        "Dot: the effect corrected for the winner's curse, with its 95% interval. Hollow: as measured, with the bounds "
        "that hold on all days together."
    )
    return Plot(Markup(draw.effects_plot(told, learnt)), caption, True)  # noqa: S704  drawn here, labels escaped


def trial_plots(found: "Findings") -> list[Plot]:
    """The course of one experiment: exposure, and where results are not withheld effect, belief, regret and fatigue."""
    from pipelines.report import trial_plots as draw

    made = [(draw.exposure_plot(found), "Units counted by arm. They must keep their planned shares.")]
    if any(day.effect for day in found.daily):
        made += [
            (draw.effect_plot(found), "Effect on the control, with the bounds that hold on all days together."),
            (draw.belief_plot(found), "Probability of each arm to be the best, by all that was known that day."),
            (draw.regret_plot(found), "Outcomes lost so far by showing other arms than the best, as known today."),
            (draw.fatigue_plot(found), "Effect of the last seven days alone: it falls where an arm wears off."),
        ]
    return [Plot(Markup(svg), caption) for svg, caption in made]  # noqa: S704  drawn here, labels escaped


def _calibration(family: FamilyReport, rows: pd.DataFrame) -> list[tuple[str, str, bool]]:
    from pipelines.report import plots as draw

    name, subject = family.name, family.subject
    if is_chance(rows):
        svg = draw.calibration_plot(rows, f"{name}: calibration")
        return [(svg, "On the dotted line predictions equal observed rates.", False)]
    return [
        (
            draw.amount_plot(rows, subject, f"{name}: predicted and actual"),
            f"Predicted and actual mean by tenth of {subject}s.",
            False,
        ),
        (
            draw.scatter_plot(rows, subject, f"{name}: individual {subject}s"),
            f"Individual {subject}s, logarithmic above the median.",
            False,
        ),
    ]

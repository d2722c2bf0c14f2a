"""Plots of a simulation: functions from its record to inline SVG."""

from typing import Any

import numpy as np
import pandas as pd

from pipelines.report.canvas import MODEL, MUTED, NAIVE, drawing
from serving.experiments.simulation.records import BIDDERS, CONSTANT, ENGINE, LINEAR, CreativeDay, Simulation

LOOKS = {
    ENGINE: {"color": MODEL, "linestyle": "-"},
    LINEAR: {"color": NAIVE, "linestyle": "--"},
    CONSTANT: {"color": MUTED, "linestyle": "-."},
}
HOURS = np.arange(25)


def spend_plot(done: Simulation) -> str:
    """Cumulative spend over an average day as a share of the budgets, with an even pace."""
    from matplotlib.ticker import PercentFormatter

    with drawing("simulation: spend over the day") as plot:
        axes = plot.axes[0]
        axes.plot([0, 24], [0, 1], color=MUTED, linewidth=1, linestyle=":")
        _lines(axes, _so_far(done, "spend"))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set(ylim=(0, 1.02), ylabel="spent of the budgets")
        axes.legend(loc="lower right")
    return plot.svg


def worth_plot(done: Simulation) -> str:
    """Cumulative worth bought over an average day, as a share of the budgets."""
    with drawing("simulation: worth over the day") as plot:
        axes = plot.axes[0]
        _lines(axes, _so_far(done, "worth"))
        axes.set(ylim=(0, None), ylabel="worth bought, in budgets")
        axes.legend(loc="upper left")
    return plot.svg


def bid_plot(done: Simulation) -> str:
    """Mean bid by hour of the day, relative to the constant rule's bid."""
    frame = _frame(done)
    constant = np.array([one.constant for one in done.campaigns])[frame["place"]]
    frame["relative"] = frame["bid"] * frame["bids"] / constant
    sums = frame.groupby(["bidder", frame["hour"] % 24])[["relative", "bids"]].sum()
    means = (sums["relative"] / sums["bids"].where(sums["bids"] > 0)).unstack("bidder")
    with drawing("simulation: bids over the day") as plot:
        axes = plot.axes[0]
        for bidder in BIDDERS:
            axes.plot(means.index + 0.5, means[bidder], label=bidder, **LOOKS[bidder])
        axes.set(xlim=(0, 24), xticks=range(0, 25, 6), ylim=(0, None), xlabel="hour of the day", ylabel="mean bid")
        axes.legend(loc="lower left")
    return plot.svg


def campaign_plot(done: Simulation) -> str:
    """Worth per spend of each campaign by each bidder."""
    sums = _frame(done).groupby(["place", "bidder"])[["worth", "spend"]].sum()
    ratio = (sums["worth"] / sums["spend"].where(sums["spend"] > 0)).unstack("bidder")
    shown = ratio.iloc[:24]  # the table and the file have all
    with drawing("simulation: worth per spend by campaign", width=6.4, height=0.3 * len(shown) + 1.1) as plot:
        axes = plot.axes[0]
        places = np.arange(len(shown))[::-1]
        for bidder, marker in ((CONSTANT, "s"), (LINEAR, "D"), (ENGINE, "o")):
            hollow = {} if bidder == ENGINE else {"markerfacecolor": "none", "markeredgewidth": 1.5}
            axes.plot(shown[bidder], places, marker, color=LOOKS[bidder]["color"], label=bidder, **hollow)
        told = [done.campaigns[place] for place in shown.index]
        axes.set_yticks(places, [f"{one.campaign_id} ({one.budget:,.0f})" for one in told])
        axes.set(xlabel="worth per unit of money spent", xlim=(0, None), ylim=(-0.6, len(shown) - 0.4))
        axes.figure.legend(loc="outside upper left", ncols=3)
    return plot.svg


def creative_plot(day: CreativeDay) -> str:
    """Expected clicks in a thousand placements by campaign: the chosen creatives, an equal rotation, the best."""
    with drawing("simulation: creatives by campaign", width=6.4, height=0.3 * len(day.rates) + 1.1) as plot:
        axes = plot.axes[0]
        places, rates = np.arange(len(day.rates))[::-1], 1000 * np.array(list(day.rates.values()))
        looks = (("adloop", 0, "o", MODEL), ("equal rotation", 1, "s", MUTED), ("the best each time", 2, "|", NAIVE))
        for label, column, marker, color in looks:
            axes.plot(rates[:, column], places, marker, color=color, label=label)
        axes.set_yticks(places, list(day.rates))
        axes.set(xlabel="expected clicks in a thousand placements", xlim=(0, None), ylim=(-0.6, len(places) - 0.4))
        axes.figure.legend(loc="outside upper left", ncols=3)
    return plot.svg


def _frame(done: Simulation) -> pd.DataFrame:
    return pd.DataFrame([{name: getattr(one, name) for name in one.__slots__} for one in done.hours])


def _so_far(done: Simulation, column: str) -> pd.DataFrame:
    """Cumulative sum over an average day, as a share of the budgets: a row per end of hour, a column per bidder."""
    frame = _frame(done)
    by_hour = frame.groupby([frame["hour"] % 24, "bidder"])[column].sum().unstack("bidder")
    return by_hour.cumsum() / (sum(one.budget for one in done.campaigns) * done.days)


def _lines(axes: Any, so_far: pd.DataFrame) -> None:
    for bidder in BIDDERS:
        axes.plot(HOURS, np.concatenate([[0.0], so_far[bidder]]), label=bidder, **LOOKS[bidder])
    axes.set(xlim=(0, 24), xticks=range(0, 25, 6), xlabel="hour of the day")

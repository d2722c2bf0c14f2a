"""Plots of tests on regions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.evaluation.geo.analysis import GeoEffect
from models.evaluation.geo.plan import GeoPlan

OBSERVED, EXPECTED, ADDED = "#0072b2", "#999999", "#d55e00"


def draw_effect(effect: GeoEffect, file: Path) -> None:
    """Write what was observed beside what was expected, and the difference, as PNG."""
    from matplotlib.figure import Figure

    figure, days = Figure(figsize=(8, 5), layout="constrained"), effect.days
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    above.plot(days.index, days["observed"], color=OBSERVED, label="observed, a region")
    above.plot(days.index, days["expected"], color=EXPECTED, ls="--", label="expected without the campaign")
    below.plot(days.index, days["observed"] - days["expected"], color=ADDED, label="difference")
    below.axhline(0, color="black", lw=0.8)
    for axes in (above, below):
        axes.axvspan(days.index[days["treated"]][0], days.index[-1], color="#f0e442", alpha=0.25, lw=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="upper left")
    lift = effect.lift
    above.set_title(f"lift {lift.value:.1%}, 95% interval {lift.low:.1%} to {lift.high:.1%}")
    figure.autofmt_xdate()
    _write(figure, file)


def draw_plans(plans: Sequence[GeoPlan], file: Path) -> None:
    """Write the power by lift of each test as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for one in plans:
        lifts = list(one.power)
        axes.plot([100 * lift for lift in lifts], list(one.power.values()), "o-", ms=3, label=_label(one))
    axes.axhline(0.8, color="#999999", ls=":", lw=1)
    axes.set(xlabel="true lift, %", ylabel="share of past periods in which it is found", ylim=(-0.02, 1.02))
    axes.set_title("What a test on these regions can show")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    _write(figure, file)


def _label(one: GeoPlan) -> str:
    names = ", ".join(one.regions)
    return f"{names if len(names) <= 40 else names[:39] + '…'}, {one.days} days"


def _write(figure: Any, file: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}")
    FigureCanvasAgg(figure).print_figure(aside, format="png", dpi=120)
    aside.replace(file)

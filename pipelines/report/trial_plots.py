"""Plots of experiments: functions from findings to inline SVG."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipelines.report.canvas import INK, MODEL, MUTED, NAIVE, drawing
from serving.experiments.trials import account
from serving.experiments.trials.findings import DailyFinding, Findings
from serving.experiments.trials.winners_curse import Shrinkage

#: Looks of the treated arms; the control is muted. Further arms repeat them.
LOOKS = ((MODEL, "-"), (NAIVE, "--"), (INK, "-."))
CONTROL = (MUTED, ":")


def effects_plot(found: Sequence[Findings], learnt: Shrinkage) -> str:
    """Raw and corrected effects of all experiments, each with its interval."""
    from matplotlib.ticker import PercentFormatter

    told = [(f"{one.name}: {effect.arm}", effect) for one in found for effect in one.effects]
    with drawing("experiments: effects", width=6.4, height=0.36 * len(told) + 1.1) as plot:
        axes = plot.axes[0]
        places, drawn = np.arange(len(told))[::-1], [0.0]
        for place, (_, effect) in zip(places, told, strict=True):
            better = account.corrected(effect, learnt)
            axes.plot([effect.low, effect.high], [place - 0.16] * 2, color=NAIVE, linewidth=1)
            drawn += [effect.value, better.low, better.high]
            axes.plot(effect.value, place - 0.16, "o", color=NAIVE, markerfacecolor="none", markersize=5)
            axes.plot([better.low, better.high], [place + 0.12] * 2, color=MODEL)
            axes.plot(better.value, place + 0.12, "o", color=MODEL, markersize=6)
        axes.axvline(0, color=MUTED, linewidth=1, linestyle=":")
        axes.set_yticks(places, [name for name, _ in told])
        # Bounds of few outcomes leave the plot, so that the others can be told apart.
        margin = 0.5 * (max(drawn) - min(drawn)) or 1.0
        axes.set_xlim(max(min(drawn) - margin, -1.0), max(drawn) + margin)
        axes.set(xlabel="effect on the control", ylim=(-0.6, len(told) - 0.4))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="y", visible=False)
    return plot.svg


def exposure_plot(found: Findings) -> str:
    """Units by arm, counted until each day."""
    return _lines(found, "exposure", "units", list(found.daily), lambda day: day.units, control=True)


def belief_plot(found: Findings) -> str:
    """Probability of each arm to be the best, day by day."""
    return _lines(found, "belief", "probability to be best", _told(found), lambda day: day.best, control=True)


def regret_plot(found: Findings) -> str:
    """Outcomes lost until each day."""
    with drawing(f"{found.name}: regret") as plot:
        axes, days = plot.axes[0], _told(found)
        axes.plot(_places(found, days), [day.regret for day in days], color=MODEL)
        axes.set(ylabel=f"{found.metric} lost", ylim=(0, None))
        _days(axes, found)
    return plot.svg


def fatigue_plot(found: Findings) -> str:
    """Effect of the last seven days alone."""
    recent = [day for day in _told(found) if day.recent]
    return _lines(found, "fatigue", "effect of seven days", recent, lambda day: day.recent, percent=True)


def effect_plot(found: Findings) -> str:
    """Effects day by day with their bounds, from the first day on which they are narrower than the whole range."""
    from matplotlib.ticker import PercentFormatter

    days = _told(found)
    with drawing(f"{found.name}: effect") as plot:
        axes, places = plot.axes[0], _places(found, days)
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=":")
        for at, arm in enumerate(found.arms[1:]):
            colour, style = LOOKS[at % len(LOOKS)]
            # An infinite bound, of few outcomes, is not drawn; findings that were written have null for it.
            low, high = (np.array([getattr(day, side)[at] for day in days], dtype=float) for side in ("low", "high"))
            axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(places, [day.effect[at] for day in days], color=colour, linestyle=style, label=arm.name)
        bounds = np.array([(*day.low, *day.high) for day in days[len(days) // 4 :]], dtype=float)
        widest = float(np.abs(bounds[np.isfinite(bounds)]).max(initial=0.0)) or 1.0
        axes.set(ylabel="effect on the control", ylim=(-widest, widest))
        _days(axes, found)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        _legend(axes, found)
    return plot.svg


def _lines(
    found: Findings,
    what: str,
    label: str,
    days: Sequence[DailyFinding],
    values: Callable[[DailyFinding], Sequence[float]],
    control: bool = False,
    percent: bool = False,
) -> str:
    """A line an arm over days; `control`: the values begin with the control's."""
    from matplotlib.ticker import PercentFormatter

    with drawing(f"{found.name}: {what}") as plot:
        axes, places = plot.axes[0], _places(found, days)
        looks = [CONTROL] if control else []
        looks += [LOOKS[at % len(LOOKS)] for at in range(len(found.arms) - 1)]
        for at, ((colour, style), arm) in enumerate(zip(looks, found.arms[not control :], strict=True)):
            axes.plot(places, [values(day)[at] for day in days], color=colour, linestyle=style, label=arm.name)
        axes.set(ylabel=label)
        _days(axes, found)
        if percent:
            axes.axhline(0, color=MUTED, linewidth=1, linestyle=":")
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        _legend(axes, found)
    return plot.svg


def _days(axes: Any, found: Findings) -> None:
    """The days of the experiment, the same on all of its plots."""
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="day", xlim=(1, max(len(found.daily), 2)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _legend(axes: Any, found: Findings) -> None:
    axes.legend(loc="best", title=None, ncols=min(len(found.arms), 3))


def _told(found: Findings) -> list[DailyFinding]:
    """The days whose results are shown."""
    return [day for day in found.daily if day.effect]


def _places(found: Findings, days: Sequence[DailyFinding]) -> list[int]:
    """Number of each day since the start, from 1."""
    number = {day.day: place for place, day in enumerate(found.daily, start=1)}
    return [number[day.day] for day in days]

"""Plots of social listening: sentiment by brand, and negative voices beside their forecast, with alarms."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.report.canvas import INK, MODEL, MUTED, NAIVE, drawing
from serving.listening.summary import Day, Summary

#: Colours and styles of lines; brands beyond are not drawn.
LOOKS = ((MODEL, "-"), (NAIVE, "-"), (INK, "--"), (MODEL, ":"), (NAIVE, "--"), (MUTED, "-"))
#: Days that a line of sentiment averages: single days of small brands are noise.
SMOOTHED = 7


def sentiment_plot(summaries: Sequence[Summary]) -> str:
    """Mean sentiment of the last `SMOOTHED` days, a line a brand."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    with drawing("sentiment by brand", width=7.9, height=3.0) as plot:
        axes = plot.axes[0]
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=":")
        for (colour, style), one in zip(LOOKS, summaries, strict=False):
            days = [_date(day) for day in one.series]
            axes.plot(days, _smoothed(one.series), color=colour, linestyle=style, label=one.brand)
        axes.set(ylabel=f"sentiment, {SMOOTHED} days")
        locator = AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.legend(loc="best", ncols=3)
    return plot.svg


def voices_plot(one: Summary) -> str:
    """Negative voices a day beside their forecast, and the alarms."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    with drawing(f"{one.brand}: negative voices", width=7.9, height=2.6) as plot:
        axes, days = plot.axes[0], [_date(day) for day in one.series]
        axes.bar(
            days, [day.negative for day in one.series], color=NAIVE, width=0.8, align="edge", label="negative voices"
        )
        expected = [day.expected_negative for day in one.series]
        axes.step([*days, *days[-1:]], [*expected, *expected[-1:]], where="post", color=MODEL, label="forecast")
        for place, alarm in enumerate(one.alarms):
            at = datetime.fromtimestamp(alarm["at"], UTC)
            axes.axvline(at, color=INK, linewidth=1.2, linestyle="--", label="alarm" if place == 0 else None)
        axes.set(ylabel="a day", title=one.brand, ylim=(0, None))
        locator = AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.legend(loc="upper left", ncols=3)
    return plot.svg


def write(summaries: Sequence[Summary], page: Path) -> Path:
    """Write the plots as a page of their own, atomically."""
    from markupsafe import escape

    heard = [one for one in summaries if one.series]
    drawn = [sentiment_plot(heard)] if heard else []
    drawn += [voices_plot(one) for one in heard]
    style = (Path(__file__).parent / "templates" / "style.css").read_text()
    figures = "".join(f"<figure class='wide'>{svg}</figure>" for svg in drawn) or "<p>Nothing was heard yet.</p>"
    names = escape(", ".join(one.brand for one in summaries))
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>adloop listening</title>"
        f"<style>{style}</style></head><body><header><h1>Listening</h1><p class='muted'>{names}</p></header>"
        f"<div class='plots'>{figures}</div></body></html>"
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    aside = page.with_name(f".{page.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    return aside.replace(page)


def _date(day: Day) -> Any:
    return datetime.fromtimestamp(day.at, UTC)


def _smoothed(series: Sequence[Day]) -> list[float]:
    """Mean of the rated voices of each day and those before; NaN where nothing was rated."""
    found = []
    for end in range(1, len(series) + 1):
        days = [day for day in series[max(end - SMOOTHED, 0) : end] if day.sentiment is not None]
        rated = sum(day.voices - day.unrated for day in days)
        total = sum((day.sentiment or 0.0) * (day.voices - day.unrated) for day in days)
        found.append(total / rated if rated else float("nan"))
    return found

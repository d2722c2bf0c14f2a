"""The report's plots: functions from data to inline SVG."""

from typing import Any

import numpy as np
import pandas as pd

from pipelines.report import wording
from pipelines.report.canvas import INK, MODEL, MUTED, NAIVE, drawing
from pipelines.report.curves import Bins, bins, gain, is_chance
from pipelines.report.records import Figure

ARROWS = {"higher": "→", "lower": "←"}


def gain_plot(rows: pd.DataFrame, subject: str, label: str) -> str:
    """Cumulative gain: share of the truth against the share of rows taken, best first."""
    from matplotlib.ticker import PercentFormatter

    with drawing(label) as plot:
        axes = plot.axes[0]
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="at random")
        if "naive" in rows:
            axes.plot(*_thin(gain(rows, "naive")), color=NAIVE, linestyle="--", label="naive baseline")
        axes.plot(*_thin(gain(rows, "predicted")), color=MODEL, label="model")
        axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=f"{subject}s taken, best first")
        axes.set_ylabel("share of all cases found" if is_chance(rows) else "share of all value captured")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")
    return plot.svg


def _thin(curve: tuple[Any, Any], points: int = 200) -> tuple[Any, Any]:
    """Sample the curve at evenly spaced points to limit the size of the page."""
    places = np.linspace(0, 1, points)
    return places, np.interp(places, *curve)


def lift_plot(rows: pd.DataFrame, subject: str, label: str) -> str:
    """Lift by tenth of the rows, best first."""
    best_first = bins(rows)
    lift = best_first.actual[::-1] / rows["truth"].mean()
    with drawing(label) as plot:
        axes = plot.axes[0]
        axes.bar(np.arange(1, len(lift) + 1), lift, color=MODEL, width=0.75)
        axes.axhline(1, color=NAIVE, linestyle="--", linewidth=1.2)
        axes.annotate("average", (len(lift) + 0.45, 1), (0, 3), textcoords="offset points", color=NAIVE, ha="right")
        for place, height in enumerate(lift, start=1):
            axes.annotate(f"{height:.1f}", (place, height), (0, 2), textcoords="offset points", ha="center", fontsize=8)
        axes.set(xticks=range(1, len(lift) + 1), xlabel=f"tenth of {subject}s, best first", ylabel="lift")
        axes.grid(axis="x", visible=False)
    return plot.svg


def calibration_plot(rows: pd.DataFrame, label: str) -> str:
    """Calibration: predicted probability against observed rate, by tenth of the rows."""
    from matplotlib.ticker import PercentFormatter

    cut = bins(rows)
    top = float(min(1.0, 1.08 * max(cut.predicted.max(), cut.high.max())))
    with drawing(label) as plot:
        axes = plot.axes[0]
        axes.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=":", label="perfect")
        axes.errorbar(cut.predicted, cut.actual, yerr=_whiskers(cut), fmt="o-", color=MODEL, linewidth=1.2,
                      markersize=5, elinewidth=1.2, label="model, 95% interval")  # fmt: skip
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="predicted probability", ylabel="observed rate")
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(loc="upper left")
    return plot.svg


def amount_plot(rows: pd.DataFrame, subject: str, label: str) -> str:
    """Predicted and actual mean amount by tenth of the rows, over the model's mean prediction interval."""
    cut = bins(rows)
    tenth = np.arange(1, len(cut.actual) + 1)
    with drawing(label) as plot:
        axes = plot.axes[0]
        if cut.band_low is not None:
            axes.fill_between(
                tenth, cut.band_low, cut.band_high, color=MODEL, alpha=0.16, linewidth=0, label="prediction interval"
            )
        axes.plot(tenth, cut.predicted, color=MODEL, label="predicted")
        axes.errorbar(
            tenth,
            cut.actual,
            yerr=_whiskers(cut),
            fmt="o",
            color=INK,
            markersize=4.5,
            elinewidth=1.2,
            label="actual, 95% interval",
        )
        axes.set(
            xticks=tenth,
            xlabel=f"tenth of {subject}s, lowest predicted first",
            ylabel=f"value per {subject}",
            ylim=(0, None),
        )
        axes.legend(loc="upper left")
    return plot.svg


def scatter_plot(rows: pd.DataFrame, subject: str, label: str, most: int = 160) -> str:
    """Predicted against actual value of single rows with intervals; a sample evenly spaced by predicted value."""
    ordered = rows.sort_values("predicted")
    sample = ordered.iloc[np.unique(np.linspace(0, len(ordered) - 1, most).astype(int))]
    with drawing(label) as plot:
        axes = plot.axes[0]
        if {"low", "high"} <= set(rows.columns):
            axes.vlines(
                sample["predicted"],
                sample["low"],
                sample["high"],
                color=MODEL,
                alpha=0.28,
                linewidth=1.1,
                label="prediction interval",
            )
        axes.scatter(
            sample["predicted"], sample["truth"], s=10, color=INK, alpha=0.75, linewidths=0, label=f"one {subject}"
        )
        top = float(max(sample["predicted"].max(), sample["truth"].max()))
        axes.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=":")
        # Spending is heavy-tailed with many zeros: linear near zero, logarithmic above a typical customer.
        knee = float(max(rows["predicted"].median(), 1e-9))
        for axis in (axes.set_xscale, axes.set_yscale):
            axis("symlog", linthresh=knee)
        axes.set(xlim=(0, None), ylim=(0, None), xlabel="predicted value", ylabel="actual value")
        axes.legend(loc="upper left")
    return plot.svg


def metrics_plot(figures: tuple[Figure, ...], label: str) -> str:
    """Each metric on its own scale: the model with its interval, each baseline as a hollow mark."""
    with drawing(label, width=6.4, height=0.62 * len(figures) + 0.8, rows=len(figures)) as plot:
        for axes, figure in zip(plot.axes, figures, strict=True):
            _metric_line(axes, figure)
        handles = {
            text: handle for axes in plot.axes for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        columns = min(len(handles), 3)  # more names are wider than the plot
        plot.axes[0].figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=columns)
    return plot.svg


def _metric_line(axes: Any, figure: Figure) -> None:
    for marker, (name, value) in zip("Ds^v<>", figure.baselines.items(), strict=False):
        if value is None:
            continue
        axes.plot(
            value,
            0,
            marker,
            markersize=6,
            markerfacecolor="none",
            markeredgewidth=1.5,
            color=NAIVE,
            label=wording.name(name),
            linestyle="none",
        )
    if figure.champion is not None:
        axes.plot(figure.champion, 0, "*", markersize=8, color=MUTED, label="champion", linestyle="none")
    if figure.low is not None and figure.high is not None:
        axes.plot([figure.low, figure.high], [0, 0], color=MODEL, alpha=0.45, linewidth=5, solid_capstyle="butt")
    axes.plot(figure.value, 0, "o", markersize=7, color=MODEL, label="model", linestyle="none")
    axes.set(yticks=[0], ylim=(-1, 1))
    axes.set_yticklabels([f"{wording.name(figure.name)} {ARROWS.get(wording.better(figure), '')}"], color=INK)
    axes.locator_params(axis="x", nbins=5)
    axes.margins(x=0.12)
    axes.spines["left"].set_visible(False)


def _whiskers(cut: Bins) -> np.ndarray[Any, Any]:
    return np.clip(np.vstack([cut.actual - cut.low, cut.high - cut.actual]), 0, None)

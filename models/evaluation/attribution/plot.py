"""Credit of channels as a plot: what last touch says, beside other rules and tests."""

from pathlib import Path

import numpy as np

from models.evaluation.attribution.report import Attribution

#: Colours that also people without colour vision tell apart (Okabe and Ito).
COLOURS = {"last touch": "#999999", "Shapley": "#0072b2", "Markov": "#56b4e9", "measured": "#d55e00"}
#: Channels in the plot, the largest first.
MOST = 15


def draw(attribution: Attribution, file: Path) -> None:
    """Write the plot as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = attribution.channels[:MOST]
    figure = Figure(figsize=(8, 1.2 + 0.75 * len(shown)), layout="constrained")
    axes = figure.subplots()
    rows = {
        "last touch": [one.credit.last_touch for one in shown],
        "Shapley": [one.credit.shapley for one in shown],
        "Markov": [one.credit.markov for one in shown],
        "measured": [one.measured for one in shown],
    }
    for at, (rule, values) in enumerate(rows.items()):
        told = [(place, one) for place, one in enumerate(values) if one is not None]
        if not told:
            continue
        up = np.array([place for place, _ in told]) - 0.27 + 0.18 * at
        means = np.array([one.value for _, one in told])
        errors = np.abs(np.array([[one.value - one.low, one.high - one.value] for _, one in told]).T)
        axes.barh(up, means, 0.16, xerr=errors, color=COLOURS[rule], label=rule, error_kw={"lw": 1, "capsize": 2})
    axes.set_yticks(range(len(shown)), [one.credit.channel for one in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.axvline(0, color="black", lw=0.8)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="value credited, with 95% interval", title="Credit by channel")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}")
    FigureCanvasAgg(figure).print_figure(aside, format="png", dpi=120)
    aside.replace(file)

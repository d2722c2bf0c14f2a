"""A test of rules as a plot: what they would have saved up to each day, and when they would have acted."""

from pathlib import Path

import pandas as pd

from serving.campaigns.rules.replay import RuleReplay


def draw(done: RuleReplay, file: Path) -> None:
    """Write the plot as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    days = pd.to_datetime(done.days["day"])
    axes.plot(days, done.days["saved"].cumsum(), color="#0072b2", label="spend not spent")
    if done.net is not None:
        axes.plot(days, done.days["net"].cumsum(), color="#d55e00", label="less the value not come")
        axes.errorbar(
            days.iloc[-1:],
            [done.net.value],
            yerr=[[max(0.0, done.net.value - done.net.low)], [max(0.0, done.net.high - done.net.value)]],
            color="#d55e00",
            capsize=4,
        )
    acted = pd.to_datetime(done.acted["day"]).drop_duplicates()
    axes.vlines(acted, 0, 1, transform=axes.get_xaxis_transform(), color="#999999", lw=0.6, zorder=0)
    axes.axhline(0, color="black", lw=0.8)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    title = "What the rules would have saved; grey lines: days on which they acted"
    if done.acted.empty:
        title = "The rules would have changed nothing"
        axes.set_ylim(-1, 1)
    axes.set(ylabel="sum up to the day", title=title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    figure.autofmt_xdate()
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}")
    FigureCanvasAgg(figure).print_figure(aside, format="png", dpi=120)
    aside.replace(file)

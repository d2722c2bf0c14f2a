"""Renders matplotlib figures as inline SVG in the page's light or dark colours."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Placeholder colours in matplotlib, replaced by the style sheet's variables in the page.
INK, MUTED, LINE, MODEL, NAIVE = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", MODEL: "--model", NAIVE: "--naive"}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 2,
}


class Drawing:
    """A figure: `axes` to draw on, `svg` set when the `drawing` block ends."""

    def __init__(self, axes: Any) -> None:
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(label: str, width: float = 3.9, height: float = 3.0, rows: int = 1) -> Iterator[Drawing]:
    """Draw on `.axes` (one per row), then read `.svg`. Sizes are in inches, `label` is the text for screen readers."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with rc_context({**STYLE, "svg.hashsalt": label}):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        result = Drawing(canvas.subplots(rows, 1, squeeze=False)[:, 0])
        yield result
        buffer = io.StringIO()
        # Savefig would draw twice, once to find the margins, which drawing does by itself.
        FigureCanvasSVG(canvas).print_svg(buffer, metadata={"Date": None, "Creator": None})
    result.svg = _inline(buffer.getvalue(), label)


def _inline(svg: str, label: str) -> str:
    """Remove the XML prologue and repeated ids, scale to the page's width, and use its colour variables."""
    from markupsafe import escape

    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(
        r' id="(?:figure|axes|patch|line2d|text|xtick|ytick|matplotlib|legend|[A-Z]\w*Collection)[^"]*"', "", svg
    )
    svg = re.sub(
        r'<svg [^>]*?viewBox="([^"]+)"[^>]*>',
        rf'<svg viewBox="\1" role="img" aria-label="{escape(label)}">',
        svg,
        count=1,
    )
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg

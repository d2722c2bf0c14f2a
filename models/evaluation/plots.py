"""Calibration and gain plots of held-out answers, for the MLflow run."""

from pathlib import Path

import numpy as np
import pandas as pd

from models.evaluation import calibration
from models.evaluation.metrics import Array


def draw(held_out: pd.DataFrame, folder: Path) -> None:
    """Write `calibration.png` and `gain.png` from the columns `truth`, `predicted` and `naive`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    truth = held_out["truth"].to_numpy(dtype=float)
    for name, lines, labels in (
        ("calibration", _calibration(held_out, truth), ("mean predicted", "mean actual value")),
        ("gain", _gain(held_out, truth), ("share of rows, best first", "share of the truth found")),
    ):
        figure = Figure(figsize=(5, 4))
        # To have matplotlib find the margins takes longer than the drawing.
        figure.subplots_adjust(left=0.18, right=0.97, bottom=0.14, top=0.92)
        axes = figure.subplots()
        for label, (across, up, style) in lines.items():
            axes.plot(across, up, style, label=label)
        axes.set(xlabel=labels[0], ylabel=labels[1], title=name)
        axes.legend()
        FigureCanvasAgg(figure).print_figure(folder / f"{name}.png")


def _calibration(held_out: pd.DataFrame, truth: Array) -> dict[str, tuple[Array, Array, str]]:
    curve = calibration.curve(truth, held_out["predicted"].to_numpy(dtype=float))
    ends = np.array([0.0, curve[["predicted", "actual"]].to_numpy().max()])
    model = curve["predicted"].to_numpy(), curve["actual"].to_numpy(), "o-"
    return {"model": model, "perfect": (ends, ends, ":")}


def _gain(held_out: pd.DataFrame, truth: Array) -> dict[str, tuple[Array, Array, str]]:
    taken = np.linspace(0, 1, len(truth) + 1)
    lines: dict[str, tuple[Array, Array, str]] = {}
    for label, column, style in (("model", "predicted", "-"), ("naive", "naive", "--")):
        order = np.argsort(-held_out[column].to_numpy(dtype=float), kind="stable")
        found = np.append(0.0, np.cumsum(truth[order])) / max(truth.sum(), np.finfo(float).tiny)
        lines[label] = taken, found, style
    return lines | {"at random": (taken, taken, ":")}

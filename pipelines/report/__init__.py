"""What a run came to: one page for people, the same figures for machines, one table for the terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.report.records import Report


def write(report: Report, folder: Path) -> Path:
    """Write `index.html` and `summary.json` into `folder`, each whole or not at all. Returns the page's path."""
    import json

    from pipelines.report.page import render
    from pipelines.report.summary import summary

    page, figures = render(report), json.dumps(summary(report), indent=2, allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "summary.json", figures)
    return _replace(folder / "index.html", page)


def _replace(target: Path, text: str) -> Path:
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    return aside.replace(target)

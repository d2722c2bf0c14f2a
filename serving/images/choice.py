"""Variants as candidates of the creative bandit, which learns from their attributes what each audience prefers.

They are rows of the canonical table `creatives` with the attributes `crop`, `palette` and `text_position`, beside what
their pictures show (`models.image.traits`). The family `creative` predicts their rates by audience and placement;
decisions of the kind creative draw among them by the prediction and by what came of each.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from features.fetch import content_of
from features.settings import Settings
from features.tables import Tables
from models.image.picture import MOST_BYTES, opened
from models.image.traits import ATTRIBUTE, LONGEST, traits
from serving.images.compress import KINDS, SUFFIXES, compress_pixels, saved
from serving.images.variants import Variant


def creatives(made: Iterable[Variant], name: str, campaign: str, headline: str, folder: Path) -> pd.DataFrame:
    """Write the files of variants into a folder, and return their rows of the table `creatives`.

    Args:
        name: of the picture; ids are `name.variant`.
        campaign: that they are tested in.
        headline: that stands on them; empty without.
    """
    rows = []
    for one in made:
        file = compress_pixels(one.pixels, [kind for kind in KINDS if kind in one.form.files])
        path = saved(file.content, folder / f"{name}.{one.name}.{SUFFIXES[file.kind]}")
        about = {"creative_id": f"{name}.{one.name}", "campaign_id": campaign, "headline": headline or None}
        rows.append({**about, "image": path.resolve().as_uri(), "format": "image", **one.changed})
    return pd.DataFrame(rows)


def add(rows: pd.DataFrame, folder: Path) -> None:
    """Add rows to the table `creatives` in a folder of tables; those of the same ids are replaced."""
    path = Tables(folder).path("creatives")
    earlier = pd.read_parquet(path) if path.exists() else rows.iloc[:0]
    kept = earlier[~earlier["creative_id"].isin(set(rows["creative_id"]))]
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    pd.concat([kept, rows], ignore_index=True).to_parquet(aside, index=False)
    aside.replace(path)


def candidates(rows: pd.DataFrame, settings: Settings) -> dict[str, dict[str, Any]]:
    """The field `candidates` of a decision of the kind creative: by id what models read of each.

    Raises `Unreachable` or `InvalidPicture` for a row whose picture cannot be read.
    """
    found = {}
    for row in rows.drop(columns="campaign_id").to_dict("records"):
        shown = traits(opened(content_of(str(row["image"]), MOST_BYTES, settings), LONGEST)).numbers()
        told = {str(name): value for name, value in row.items() if name != "creative_id" and pd.notna(value)}
        found[str(row["creative_id"])] = told | {f"{ATTRIBUTE}{name}": value for name, value in shown.items()}
    return found

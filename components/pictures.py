"""What the pictures of creatives show, as attributes of the creatives: models read them like any others."""

from pathlib import Path

import pandas as pd

from features.fetch import Unreachable, content_of
from features.settings import Settings
from features.tables import Tables
from models.image.picture import MOST_BYTES, InvalidPicture, opened
from models.image.traits import ATTRIBUTE, LONGEST, traits


def described(folder: Path, settings: Settings) -> tuple[str, ...]:
    """Add to the table `creatives` what its pictures show (`models.image.traits`), where it names any.

    Pictures that cannot be read have none; returns notes that tell how many, and why the first. Columns that the table
    has already are kept.
    """
    tables = Tables(folder)
    if "image" not in tables.columns("creatives"):
        return ()
    creatives = pd.read_parquet(tables.path("creatives"))
    shown, faults = {}, {}
    for uri in creatives["image"].dropna().unique():
        try:
            shown[uri] = traits(opened(content_of(uri, MOST_BYTES, settings), LONGEST)).numbers()
        except (Unreachable, InvalidPicture) as fault:
            faults[uri] = str(fault)
    if shown:
        numbers = pd.DataFrame.from_dict(shown, orient="index").add_prefix(ATTRIBUTE)
        fresh = numbers.columns.difference(creatives.columns, sort=False)
        creatives.join(numbers[fresh], on="image").to_parquet(tables.path("creatives"), index=False)
    if not faults:
        return ()
    uri, why = next(iter(faults.items()))
    return (f"creatives: {len(faults)} of {len(faults) + len(shown)} pictures cannot be read: {uri[:120]}: {why}",)

"""Examples of the vision family: pictures with their labels and ratings; near copies are in one split."""

import hashlib
import logging

import numpy as np
import pandas as pd

from features.settings import Settings
from features.tables import SPECS, Tables
from models.inputs import InvalidRows
from models.vision.boxes.drawn import BOXES, told_of
from models.vision.copies import Array, groups, reduced
from models.vision.params import VisionParams
from models.vision.reading import URI, picture_of

LABEL, RATING = "label", "rating"
#: What is told of a picture, beside where it is.
TOLD = (LABEL, RATING, BOXES)
#: Percent of the groups that are tested on and tuned on, where the table tells no split.
TEST, VALID = 20, 10
#: Share of the pictures that may be unreadable; they are left out.
UNREADABLE = 0.1

_log = logging.getLogger(__name__)


def image_examples(tables: Tables, params: VisionParams, as_of: str | None, cutoff: str | None) -> pd.DataFrame:
    """One row a picture: `split`, `uri`, `label`, `rating` and `boxes`.

    Equal files are one example, with the most frequent of what is told of them. The split is the table's, else drawn by
    groups of near copies.

    Raises `ValueError` where more than `UNREADABLE` of the pictures cannot be read.
    """
    with tables.connect() as db:
        return examples_of(db.execute(tables.whole("images")).df(), params)


def examples_of(told: pd.DataFrame, params: VisionParams) -> pd.DataFrame:
    """Examples of the rows of a table `images`. Raises `InvalidRows` for what are no boxes."""
    told = told.reindex(columns=list(SPECS["images"])).astype({RATING: float})
    told_of(told)
    told["draw"] = [_draw(uri, params.seed) for uri in told[URI]]
    some = told[told[URI].isin(told.sort_values("draw")[URI].drop_duplicates().head(params.max_examples))]
    seen = _seen(some[URI].drop_duplicates())
    some = some.assign(sha256=some[URI].map(lambda uri: seen[uri][0] if uri in seen else None)).dropna(subset="sha256")
    some["votes"] = some.groupby(["sha256", *TOLD], dropna=False)[URI].transform("size")
    ordered = some.sort_values(["sha256", "votes", "draw", LABEL], ascending=[True, False, True, True])
    one = ordered.groupby("sha256", sort=False).head(1).sort_values(["draw", "sha256"]).reset_index(drop=True)
    split = _completed(one["split"], _groups(one, seen, params.seed))
    return one.assign(split=split)[["split", URI, *TOLD]].astype(dict.fromkeys((LABEL, BOXES), object))


def _seen(uris: "pd.Series[str]") -> dict[str, tuple[str, Array]]:
    """The hash and the reduced pixels of each picture that can be read."""
    settings, faults, seen = Settings(), [], {}
    for uri in uris:
        try:
            picture = picture_of(uri, settings)
        except InvalidRows as fault:
            faults.append(fault)
        else:
            seen[uri] = picture.sha256, reduced(picture)
    if len(faults) > UNREADABLE * len(uris):
        raise ValueError(f"images: {len(faults):,} of {len(uris):,} pictures cannot be read; first: {faults[0].got}")
    if faults:
        told = "%d of %d pictures cannot be read and are left out; first: %s"
        _log.warning(told, len(faults), len(uris), faults[0].got)
    return seen


def _groups(rows: pd.DataFrame, seen: dict[str, tuple[str, Array]], seed: int) -> "pd.Series[int]":
    """A draw from 0 to 99 for each picture, the same for near copies."""
    if rows.empty:
        return pd.Series(dtype=int)
    group = groups([seen[uri][1] for uri in rows[URI]])
    first = pd.Series(rows["sha256"].to_numpy()).groupby(group).transform("min")
    return first.map(lambda sha256: _draw(sha256, seed) % 100)


def _completed(split: "pd.Series[str]", draw: "pd.Series[int]") -> "pd.Series[str]":
    """The table's split where it tells one; a part that it lacks is drawn from `train`."""
    drawn = pd.Series(np.select([draw < TEST, draw < TEST + VALID], ["test", "valid"], "train"), split.index, dtype=str)
    whole = split.astype(object).fillna(drawn)
    for part in ("test", "valid"):
        if part not in set(whole):
            whole = whole.mask((whole == "train") & (drawn == part), part)
    return whole


def _draw(text: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {text}".encode()).digest()[:7])

"""Which pictures are near copies of each other: of another size, compression, brightness or sharpness.

A picture is reduced to `SIDE` by `SIDE` grey values around their mean; those of near copies are almost the same, up to
a factor.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture

SIDE = 16
#: Least correlation of near copies.
ALIKE = 0.99
#: Least spread of grey values of a picture that has anything to compare.
FLAT = 2.0
#: Rows compared at a time.
AT_ONCE = 1000

Array = npt.NDArray[np.float32]


def reduced(picture: Picture) -> Array:
    """(SIDE * SIDE,) of length 1, or zeros for a picture of one grey."""
    from PIL import Image

    small = Image.fromarray(picture.pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float32).ravel()
    around = grey - grey.mean()
    return around / np.linalg.norm(around) if around.std() > FLAT else np.zeros_like(around)


def near(these: Array, those: Array) -> npt.NDArray[np.bool_]:
    """Whether each of these reduced pictures has a near copy among those."""
    found = np.zeros(len(these), bool)
    found[_pairs(these, those)[0]] = True
    return found


def groups(every: Sequence[Array]) -> npt.NDArray[np.intp]:
    """The number of each reduced picture's group: near copies, and their near copies, are in one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    stacked = np.stack(every)
    row, column = _pairs(stacked, stacked)
    linked = coo_array((np.ones(len(row), bool), (row, column)), shape=(len(stacked), len(stacked)))
    found: npt.NDArray[np.intp] = connected_components(linked, directed=False)[1]
    return found


def _pairs(these: Array, those: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of near copies in each."""
    rows, columns = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for start in range(0, len(these) if len(those) else 0, AT_ONCE):
        row, column = np.nonzero(these[start : start + AT_ONCE] @ those.T > ALIKE)
        rows.append(row + start)
        columns.append(column)
    return np.concatenate(rows), np.concatenate(columns)

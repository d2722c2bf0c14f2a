"""What heads read of a picture: of the whole of it, and of its most detailed square at its own scale, where sharpness,
noise and compression show that are lost in a reduced picture.
"""

from threading import Lock
from typing import Any

import numpy as np

from models import kept
from models.image.backbone import SIDE, SeenPicture, batch, batched, see
from models.image.efficientnet import SHA256, SIZE
from models.image.picture import Picture, Pixels
from models.vision.encoder import Array, TunedTail

#: Channels of the finer maps, whose mean and spread tell texture, beside what is shown.
CHANNELS = 40 + 112
VIEW = SIZE + 2 * CHANNELS
#: Columns of the features that no tuning changes: of the whole picture, then of its detail.
FROZEN = 2 * VIEW
#: Columns that heads are tried with: few pictures say little of many numbers.
VIEWS = (slice(0, SIZE), slice(SIZE, VIEW), slice(0, VIEW), slice(0, FROZEN))
EPSILON = 1e-9
#: Pictures whose features are kept in memory: 13 KiB each, and 5 more with tuned blocks.
RECENT = 1000
_recent: dict[tuple[Any, ...], "Array"] = {}
_lock = Lock()
#: A picture with so many times the pixels of a square of `SIDE` is looked at in detail too.
LARGER = 1.5
#: Squares that are looked at across and down, to find the most detailed.
PLACES = 5


def features(picture: Picture, side: int, tuned: TunedTail | None) -> Array:
    """The features of a picture: (FROZEN,), and the vector of the tuned blocks where there are any.

    Those of recent pictures are kept in memory: a picture takes about 50 ms the first time, and less than 1 afterwards.
    """
    key = (picture.sha256, picture.pixels.shape, side, "" if tuned is None else tuned.sha256)
    with _lock:
        found = _recent.pop(key, None)
    if found is None:
        found = _looked_at(picture, side, tuned)
    with _lock:
        _recent[key] = found  # as the last one
        if len(_recent) > RECENT:
            del _recent[next(iter(_recent))]
    return found


def _looked_at(picture: Picture, side: int, tuned: TunedTail | None) -> Array:
    if tuned is None:
        return frozen(picture, side)
    seen = see(batch(picture.pixels, side))
    return np.concatenate([frozen(picture, side, seen), tuned.of(seen)])


def frozen(picture: Picture, side: int, seen: SeenPicture | None = None) -> Array:
    """The features that no tuning changes (FROZEN,), kept on the disk where this process keeps anything.

    `seen` is what the backbone sees in the whole picture, where it was looked at already.
    """
    encoder, name = f"{SHA256} features {side}", f"{picture.sha256} {picture.pixels.shape}"
    content = kept.recall(encoder, name)
    if content is not None:
        return np.frombuffer(content, np.float32)
    whole = _view(seen or see(batch(picture.pixels, side)))
    height, width = picture.pixels.shape[:2]
    large = height * width > LARGER * SIDE * SIDE and min(height, width) >= SIDE
    x = np.concatenate([whole, _view(see(batched(detailed(picture.pixels)))) if large else whole])
    kept.keep(encoder, name, x.tobytes())
    return x


def detailed(pixels: Pixels) -> Pixels:
    """The square of `SIDE` pixels whose grey values differ most from their neighbours."""
    height, width = pixels.shape[:2]
    corners = [
        (int(top), int(left))
        for top in np.linspace(0, height - SIDE, PLACES)
        for left in np.linspace(0, width - SIDE, PLACES)
    ]
    squares = (pixels[top : top + SIDE, left : left + SIDE] for top, left in corners)
    return max(squares, key=_detail)


def _detail(square: Pixels) -> float:
    grey = square.astype(np.float32).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def _view(seen: SeenPicture) -> Array:
    """Roots of the embedding, whose largest numbers say too much else, and mean and spread of the finer maps; each part
    of length 1, as how bright a picture is would count for more than what it shows."""
    maps = [one.reshape(len(one), -1) for one in (seen.map8, seen.map16)]
    texture = np.concatenate([part for one in maps for part in (one.mean(axis=1), one.std(axis=1))])
    return np.concatenate([_unit(np.sqrt(seen.embedding)), _unit(texture)])


def _unit(part: Array) -> Array:
    return part / np.float32(max(float(np.linalg.norm(part)), EPSILON))

"""What heads read of a picture: what the whole of it shows, and the texture of its most detailed square at its own
scale, where sharpness, noise and compression show that are lost in a reduced picture.
"""

from threading import Lock
from typing import Any

import numpy as np

from models import kept
from models.image.backbone import SIDE, SeenPicture, batch, batched, see
from models.image.efficientnet import SHA256, SIZE
from models.image.picture import Picture, Pixels
from models.vision.encoder import Array, TunedTail

#: Numbers of texture: mean and spread of the finer maps' channels.
TEXTURE = 2 * (40 + 112)
#: Columns of the features that no tuning changes: embedding of the whole, texture and embedding of the detail.
FROZEN = SIZE + TEXTURE + SIZE
#: Columns that heads are tried with: few pictures say little of many numbers.
VIEWS = tuple(slice(*ends) for ends in ((0, SIZE), (SIZE, SIZE + TEXTURE), (0, SIZE + TEXTURE), (0, FROZEN)))
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
    encoder, name = f"{SHA256} {FROZEN} features {side}", f"{picture.sha256} {picture.pixels.shape}"
    content = kept.recall(encoder, name)
    if content is not None:
        return np.frombuffer(content, np.float32)
    seen = seen or see(batch(picture.pixels, side))
    detail = _detail_of(picture.pixels, seen if side == SIDE else None)
    x = np.concatenate([_unit(np.sqrt(seen.embedding)), _texture(detail), _unit(np.sqrt(detail.embedding))])
    kept.keep(encoder, name, x.tobytes())
    return x


def _detail_of(pixels: Pixels, whole: SeenPicture | None) -> SeenPicture:
    """What the backbone sees in a picture's most detailed square; in `whole` of one that is hardly larger than that."""
    height, width = pixels.shape[:2]
    if height * width > LARGER * SIDE * SIDE and min(height, width) >= SIDE:
        return see(batched(detailed(pixels)))
    return whole or see(batch(pixels, SIDE))


def detailed(pixels: Pixels) -> Pixels:
    """The square of `SIDE` pixels whose grey values differ most from their neighbours."""
    height, width = pixels.shape[:2]
    corners = [
        (int(top), int(left))
        for top in np.linspace(0, height - SIDE, PLACES)
        for left in np.linspace(0, width - SIDE, PLACES)
    ]
    squares = (pixels[top : top + SIDE, left : left + SIDE] for top, left in corners)
    return max(squares, key=_unrest)


def _unrest(square: Pixels) -> float:
    grey = square.astype(np.float32).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def _texture(seen: SeenPicture) -> Array:
    """Mean and spread of the finer maps. Its length is 1, as is that of the roots of embeddings: else how bright a
    picture is would count for more than what it shows, and few large numbers for more than all others."""
    maps = [one.reshape(len(one), -1) for one in (seen.map8, seen.map16)]
    return _unit(np.concatenate([part for one in maps for part in (one.mean(axis=1), one.std(axis=1))]))


def _unit(part: Array) -> Array:
    return part / np.float32(max(float(np.linalg.norm(part)), EPSILON))

"""Even regions of a picture, and the poses in which part of a mark would look like one of them.

Simple marks have few SIFT features, but their parts stand out as regions. A region is told by its moments; where
something covers one side of a mark, its region looks like the mark without that side.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from models.image.picture import Pixels

#: Longer side at which regions are looked for, and the share of the picture that one has at least and at most.
SIDE, SMALLEST, LARGEST = 540, 0.0004, 0.08
#: Ranges of lightness and of the two axes of colour (Lab) in which regions are looked for.
_RANGES = ((0, 100), (-60, 80), (-60, 80))
#: Parts of a mark are told of the whole of it, and of what remains where so much of one side is covered.
COVERED = (0.12, 0.26)
#: How much longer than wide a region is whose direction is known; turns that are tried of one without, in degrees.
_LONG, _TURNS = 1.15, np.radians(np.arange(0, 360, 20))
#: How far the logarithms of two regions' stretch and fullness may be apart.
_STRETCH, _FULL = 0.35, 0.3

#: Rows of x and y of the middle, square root of the area, angle of the long axis in radians, length over width of the
#: ellipse with the same second moments, and the area over that of the ellipse.
Regions = npt.NDArray[np.float64]


def regions(lab: npt.NDArray[np.float32]) -> Regions:
    """Maximally stable regions (Matas et al., "Robust wide baseline stereo from maximally stable extremal regions",
    2002) of Lab colours (height, width, 3), in its pixels."""
    import cv2

    share = min(1.0, SIDE / max(lab.shape[:2]))
    size = [max(3, round(side * share)) for side in lab.shape[1::-1]]
    small = np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), np.float32)
    area = size[0] * size[1]
    stable = cv2.MSER.create(6, max(12, int(SMALLEST * area)), max(24, int(LARGEST * area)))
    found = []
    for axis, (low, high) in enumerate(_RANGES):
        grey = np.clip((small[..., axis] - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        found += [_moments(np.asarray(points, float)) for points in stable.detectRegions(grey)[0]]
    rows = np.array(found).reshape(-1, 6)
    rows[:, :3] /= share
    return rows


def parts(shape: Pixels, margin: int) -> Regions:
    """The main parts of a mark that has a margin around it, whole and with one side covered."""
    high, wide = (side - 2 * margin for side in shape.shape)
    shown = [shape > 127]
    for part in COVERED:
        down, across = margin + round(part * high), margin + round(part * wide)
        for hidden in (np.s_[:down], np.s_[-down:], np.s_[:, :across], np.s_[:, -across:]):
            left = shape > 127
            left[hidden] = False
            shown.append(left)
    return np.array([row for mask in shown for row in _parts(mask)]).reshape(-1, 6)


def poses(seen: Regions, mine: Regions) -> npt.NDArray[np.float64]:
    """Poses, as `match.Poses` has them, that lay a part of a mark on a region like it."""
    found = [_laid(part, seen) for part in mine]
    return np.concatenate(found) if found else np.empty((0, 4))


def _parts(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[float, ...]]:
    """Connected parts that are a tenth of the whole or more."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for place in range(1, count):
        if stats[place, cv2.CC_STAT_AREA] >= max(12, 0.1 * mask.sum()):
            yield _moments(np.argwhere(labels == place)[:, ::-1].astype(float))


def _moments(points: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """A row of `Regions` of pixels x, y."""
    middle = points.mean(axis=0)
    away = points - middle
    across, down = (away**2).mean(axis=0)
    both = float((away[:, 0] * away[:, 1]).mean())
    long, short = (across + down) / 2 + np.array([1, -1]) * np.hypot((across - down) / 2, both)
    short = max(float(short), 0.05)
    angle = 0.5 * np.arctan2(2 * both, across - down)
    full = len(points) / (4 * np.pi * np.sqrt(long * short))
    return (*(middle + 0.5), np.sqrt(len(points)), angle, np.sqrt(long / short), full)


def _laid(part: npt.NDArray[np.float64], seen: Regions) -> npt.NDArray[np.float64]:
    apart = np.abs(np.log(seen[:, 4:] / part[4:]))
    like = seen[(apart[:, 0] <= _STRETCH) & (apart[:, 1] <= _FULL)]
    turns = np.array([0, np.pi]) if part[4] >= _LONG else _TURNS
    turned = (like[:, 3] - part[3])[:, None] + turns
    scale = (like[:, 2] / part[2])[:, None]
    a, b = scale * np.cos(turned), scale * np.sin(turned)
    x, y = like[:, 0, None] - a * part[0] + b * part[1], like[:, 1, None] - b * part[0] - a * part[1]
    return np.stack([a, b, x, y], axis=-1).reshape(-1, 4)

"""Colour: the palette, how its hues go together, and what people associate with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from models.image.picture import Picture

#: Colours of a palette, those of less than a fiftieth of the picture left out; and how unlike the first guesses are at
#: least, in units of CIELAB.
COLOURS, LEAST, APART = 6, 0.02, 24.0
#: Longer side at which colours are counted.
_SIDE = 160
#: Sectors of hues, a centre and a width in degrees each: templates of Cohen-Or et al., "Color harmonization" (2006).
TEMPLATES = {
    "one hue": ((0.0, 18.0),),
    "neighbouring hues": ((0.0, 93.6),),
    "a hue and its neighbours at a right angle": ((0.0, 18.0), (90.0, 79.2)),
    "opposite hues": ((0.0, 18.0), (180.0, 18.0)),
    "half of the circle": ((0.0, 180.0),),
    "neighbouring hues and their opposite": ((0.0, 93.6), (180.0, 18.0)),
    "two opposite groups": ((0.0, 93.6), (180.0, 93.6)),
}
#: Chroma up to which a colour has no hue that anyone notices, and mean chroma from which colours count in full.
_GREY, _FULL = 8.0, 20.0
#: Colourfulness that people call extreme (Hasler and Suesstrunk, "Measuring colorfulness in natural images", 2003), and
#: the deviation of L* from which contrast is full.
_EXTREME, _STRONG = 109.0, 30.0

Lab = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Swatch:
    """A colour of the palette: as `#rrggbb`, by the nearest basic colour name, and its share of the picture."""

    colour: str
    name: str
    share: float


@dataclass(frozen=True)
class Colours:
    """Colours of a picture; scores from 0 to 1.

    Attributes:
        palette: the largest share first.
        brightness: mean L*.
        contrast: deviation of L*.
        colourfulness: after Hasler and Suesstrunk; 1 is what people call extreme.
        warmth: share of the chroma that is red, orange or yellow; .5 where there is none.
        harmony: how well the hues fit the best of `TEMPLATES`; 1 without hues.
        template: that template; empty without hues.
        associations: what people in Western markets associate with its main colours (`associations.yaml`).
    """

    palette: tuple[Swatch, ...]
    brightness: float
    contrast: float
    colourfulness: float
    warmth: float
    harmony: float
    template: str
    associations: tuple[str, ...]


@dataclass(frozen=True)
class BasicColour:
    """A basic colour term (Berlin and Kay, 1969): typical examples, and what is associated with it by its source."""

    examples: tuple[str, ...]
    associations: tuple[str, ...]
    source: str


def colours(picture: Picture) -> Colours:
    """The colours of a picture; what is transparent is white."""
    import cv2

    height, width = picture.pixels.shape[:2]
    share = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    small = np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    lab = to_lab(small).reshape(-1, 3)
    chroma, hue = np.hypot(lab[:, 1], lab[:, 2]), np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    harmony, template = _harmony(hue, chroma)
    palette = _palette(lab)
    main = dict.fromkeys(swatch.name for swatch in palette if swatch.share >= 0.1)
    return Colours(
        palette=palette,
        brightness=_rounded(lab[:, 0].mean() / 100),
        contrast=_rounded(lab[:, 0].std() / _STRONG),
        colourfulness=_rounded(_colourfulness(small.reshape(-1, 3)) / _EXTREME),
        warmth=_rounded(_warmth(hue, chroma)),
        harmony=_rounded(harmony),
        template=template,
        associations=tuple(dict.fromkeys(one for name in main for one in basic_colours()[name].associations)),
    )


@cache
def basic_colours() -> dict[str, BasicColour]:
    """Basic colours by name, with associations and their sources."""
    told = yaml.safe_load(Path(__file__).with_name("associations.yaml").read_text("utf-8"))
    return {
        name: BasicColour(tuple(one["examples"]), tuple(one["associations"]), one["source"])
        for name, one in told.items()
    }


def to_lab(rgb: npt.NDArray[np.floating]) -> Lab:
    """CIELAB of sRGB pixels (height, width, 3) of 0 to 255."""
    import cv2

    return np.asarray(cv2.cvtColor((rgb / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)


def _palette(lab: Lab) -> tuple[Swatch, ...]:
    """The main colours by k-means in CIELAB, begun from the most frequent ones that are apart: without chance."""
    _, place, counts = np.unique(np.round(lab / 6), axis=0, return_inverse=True, return_counts=True)
    sums = [np.bincount(place.ravel(), lab[:, axis], len(counts)) for axis in range(3)]
    means = np.stack(sums, axis=1) / counts[:, None]
    centres = _begun(means, counts)
    for _ in range(12):
        nearest = _nearest(means, centres)
        weights = np.bincount(nearest, counts, len(centres))
        moved = [np.bincount(nearest, counts * means[:, axis], len(centres)) for axis in range(3)]
        centres = np.stack(moved, axis=1)[weights > 0] / weights[weights > 0, None]
    shares = np.bincount(_nearest(means, centres), counts, len(centres)) / counts.sum()
    order = [row for row in np.argsort(-shares, kind="stable") if shares[row] >= LEAST]
    return tuple(Swatch(_hex(centres[row]), _name(centres[row]), round(float(shares[row]), 4)) for row in order)


def _begun(means: npt.NDArray[np.floating], counts: npt.NDArray[np.integer]) -> npt.NDArray[np.floating]:
    """The most frequent colours, each at least `APART` from those before it."""
    chosen: list[int] = []
    for row in np.argsort(-counts, kind="stable"):
        if all(np.linalg.norm(means[row] - means[other]) >= APART for other in chosen):
            chosen.append(int(row))
        if len(chosen) == COLOURS:
            break
    return means[chosen]


def _nearest(means: npt.NDArray[np.floating], centres: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    nearest: npt.NDArray[np.intp] = np.linalg.norm(means[:, None] - centres[None], axis=2).argmin(axis=1)
    return nearest


def _harmony(hue: npt.NDArray[np.floating], chroma: npt.NDArray[np.floating]) -> tuple[float, str]:
    """How well hues (degrees) fit the best template, from 0 to 1, and its name; greys do not count."""
    weight = np.bincount((hue // 5).astype(int) % 72, np.where(chroma > _GREY, chroma, 0), 72)
    if not weight.sum():
        return 1.0, ""
    found = []
    for name, sectors in TEMPLATES.items():
        off = _off(sectors)
        least = min(float(weight @ np.roll(off, turn)) for turn in range(72)) / float(weight.sum())
        # A wide template fits more by chance: off by as much as hues all around the circle is no harmony.
        found.append((1 - least / float(off.mean()), name))
    best = max(one for one, _ in found)
    # Of those that fit about as well, the first is the narrowest.
    template = next(name for one, name in found if one >= best - 0.05)
    # Colours that are nearly grey cannot clash.
    strength = min(1.0, float(chroma.mean()) / _FULL)
    return 1 - strength * (1 - best), template


def _off(sectors: Sequence[tuple[float, float]]) -> npt.NDArray[np.float64]:
    """Of each 5 degrees of hue, how far outside all sectors it is, in degrees."""
    at = np.arange(72) * 5 + 2.5
    gaps = [np.abs((at - centre + 180) % 360 - 180) - width / 2 for centre, width in sectors]
    return np.clip(np.min(gaps, axis=0), 0, None)


def _colourfulness(rgb: npt.NDArray[np.floating]) -> float:
    red_green, yellow_blue = rgb[:, 0] - rgb[:, 1], (rgb[:, 0] + rgb[:, 1]) / 2 - rgb[:, 2]
    spread, strength = (np.hypot(one(red_green), one(yellow_blue)) for one in (np.std, np.mean))
    return float(spread + 0.3 * strength)


def _warmth(hue: npt.NDArray[np.floating], chroma: npt.NDArray[np.floating]) -> float:
    seen = np.where(chroma > _GREY, chroma, 0)
    # In CIELAB red is at 40 degrees and yellow at 103; magenta and green, beyond, are neither warm nor cold.
    warm = np.abs((hue - 60 + 180) % 360 - 180) <= 60
    return float(seen[warm].sum() / seen.sum()) if seen.sum() else 0.5


def _name(lab: npt.NDArray[np.floating]) -> str:
    """The basic colour whose examples are nearest."""
    names, examples = _examples()
    return names[int(np.linalg.norm(examples - lab, axis=1).argmin())]


@cache
def _examples() -> tuple[list[str], npt.NDArray[np.float32]]:
    named = [(name, example) for name, one in basic_colours().items() for example in one.examples]
    rgb = np.array([[int(example[place : place + 2], 16) for place in (1, 3, 5)] for _, example in named], np.float32)
    return [name for name, _ in named], to_lab(rgb[None])[0]


def _hex(lab: npt.NDArray[np.floating]) -> str:
    import cv2

    rgb = cv2.cvtColor(lab.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_LAB2RGB)[0, 0]
    return "#" + "".join(f"{round(float(np.clip(part, 0, 1)) * 255):02x}" for part in rgb)


def _rounded(score: float) -> float:
    return round(min(max(float(score), 0.0), 1.0), 4)

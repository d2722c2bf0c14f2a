"""Technical quality: sharpness, noise, traces of compression, and exposure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture

#: Side of the part that is looked at in full resolution, where the picture has most detail.
_SIDE = 512
#: Noise in grey levels from which a picture counts as wholly noisy, and how much larger steps between the blocks of a
#: JPEG are than those within, from which it counts as wholly broken into blocks.
_NOISY, _BROKEN = 20.0, 1.0
#: Grey levels at and beyond which a pixel tells nothing.
_DARK, _LIGHT = 4, 251

Grey = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Quality:
    """Technical quality; each from 0 to 1.

    Attributes:
        sharpness: 1 is sharp: one minus the blur that people perceive (Crete et al., "The blur effect", 2007).
        noise: 0 is clean (Immerkaer, "Fast noise variance estimation", 1996).
        blockiness: 0 shows no blocks of a JPEG (after Wang, Sheikh and Bovik, 2002); 0 where the picture was reduced.
        dark, light: shares of the pixels that are black, and white, without any detail.
    """

    sharpness: float
    noise: float
    blockiness: float
    dark: float
    light: float


def quality(picture: Picture) -> Quality:
    """Technical quality, of the part of the picture with most detail."""
    import cv2

    grey = np.asarray(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY), np.float32)
    part = _detailed(grey)
    return Quality(
        sharpness=_rounded(_sharpness(part)),
        noise=_rounded(_noise(part) / _NOISY),
        blockiness=_rounded(_blockiness(part) / _BROKEN) if picture.scale == 1 else 0.0,
        dark=_rounded(float((grey <= _DARK).mean())),
        light=_rounded(float((grey >= _LIGHT).mean())),
    )


def _sharpness(grey: Grey) -> float:
    """One minus the blur, in the direction in which there is more of it; 1 where nothing changes in any direction."""
    from skimage.measure import blur_effect

    if min(grey.shape) < 12 or grey.std() < 1:
        return 1.0
    with np.errstate(invalid="ignore"):  # a direction in which nothing changes has none
        blurs = np.array(blur_effect(grey / 255, reduce_func=None), dtype=float)
    return 1 - float(np.nanmax(blurs, initial=0.0))


def _detailed(grey: Grey) -> Grey:
    """The square of `_SIDE` with most detail, at a place that is a multiple of a JPEG's blocks."""
    import cv2

    high, wide = grey.shape
    if max(high, wide) <= _SIDE:
        return grey
    sums = cv2.integral(np.abs(cv2.Laplacian(grey, cv2.CV_32F)))
    tall, broad = min(high, _SIDE), min(wide, _SIDE)
    tops, lefts = np.arange(0, high - tall + 1, 32), np.arange(0, wide - broad + 1, 32)
    inside = sums[tops + tall][:, lefts + broad] - sums[tops][:, lefts + broad]
    inside = inside - sums[tops + tall][:, lefts] + sums[tops][:, lefts]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return grey[tops[row] : tops[row] + tall, lefts[column] : lefts[column] + broad]


def _noise(grey: Grey) -> float:
    """Deviation of noise in grey levels, in the calmer half of the picture: detail is no noise."""
    import cv2

    if min(grey.shape) < 3:
        return 0.0
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    found = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))[1:-1, 1:-1]
    detail = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 2), cv2.CV_32F))
    calm = cv2.blur(detail, (9, 9))[1:-1, 1:-1]
    return float(found[calm <= np.median(calm)].mean() * np.sqrt(np.pi / 2) / 6)


def _blockiness(grey: Grey) -> float:
    """How much larger the steps between blocks of 8 pixels are than others, along both sides; 0 without blocks."""
    found = []
    for lines in (grey, grey.T):
        steps = np.abs(np.diff(lines, axis=1)).mean(axis=0)
        if len(steps) < 24:
            continue
        between = np.zeros(len(steps), bool)
        between[7::8] = True
        found.append(float(steps[between].mean() / max(float(steps[~between].mean()), 0.5)) - 1)
    return max(float(np.mean(found)), 0.0) if found else 0.0


def _rounded(score: float) -> float:
    return round(min(max(score, 0.0), 1.0), 4)

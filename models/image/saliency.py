"""Where a picture draws the eye: detail beside what is unusual in its spectrum.

The spectral residual (Hou and Zhang, "Saliency detection: a spectral residual approach", 2007) marks what differs from
the usual falling spectrum of pictures. Photographs that were cropped by it alone kept less of their subject than by
their smoothed detail; the mean of both kept most. Maps by colour (distance from the mean or from the border, boolean
maps) kept less on the same photographs, and added to these two they changed nothing.
"""

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture, Pixels

#: Longer side of the map, and side of the square that the spectrum is taken of.
SIDE, SPECTRUM = 96, 64
#: Standard deviations of smoothing: of detail, before and after it is taken, in pixels of the map; of the residual in
#: pixels of the spectrum's square.
_BEFORE, _AFTER, _RESIDUAL = 1.0, 4.0, 2.56

Map = npt.NDArray[np.float32]


def saliency(picture: Picture) -> Map:
    """Saliency from 0 to 1 of the upright picture; a map of its shape whose longer side is `SIDE`.

    A picture of one colour has 0 everywhere.
    """
    import cv2

    height, width = picture.pixels.shape[:2]
    share = SIDE / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    small = np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    maps = [_detail(small), _residual(small)]
    return _scaled(np.sum([one / one.mean() for one in maps if one.any()] or maps, axis=0))


def _detail(pixels: Pixels) -> Map:
    """Length of the gradient of luminance, smoothed."""
    import cv2

    grey = cv2.GaussianBlur(_grey(pixels), (0, 0), _BEFORE)
    gradient = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return _scaled(np.asarray(cv2.GaussianBlur(gradient, (0, 0), _AFTER), np.float32))


def _residual(pixels: Pixels) -> Map:
    """The picture of what remains of the log spectrum without its local mean."""
    import cv2

    if pixels.max() == pixels.min():
        return np.zeros(pixels.shape[:2], np.float32)
    height, width = pixels.shape[:2]
    square = cv2.resize(_grey(pixels), (SPECTRUM, SPECTRUM), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(square)
    size = np.log(np.abs(spectrum) + 1e-9)
    remains = np.exp(size - cv2.blur(size, (3, 3)) + 1j * np.angle(spectrum))
    found = (np.abs(np.fft.ifft2(remains)) ** 2).astype(np.float32)
    smooth = cv2.resize(cv2.GaussianBlur(found, (0, 0), _RESIDUAL), (width, height))
    return _scaled(np.asarray(smooth, np.float32))


def _grey(pixels: Pixels) -> Map:
    import cv2

    grey: Map = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return grey


def _scaled(values: npt.NDArray[np.floating]) -> Map:
    """From 0 to 1; 0 everywhere where all are equal."""
    low, high = float(values.min()), float(values.max())
    return ((values - low) / (high - low)).astype(np.float32) if high > low else np.zeros(values.shape, np.float32)

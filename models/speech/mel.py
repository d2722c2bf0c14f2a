"""The spectrum that Whisper reads (Radford et al., 2022): 80 mel bands on the scale of Slaney's toolbox, in decades."""

from functools import cache

import numpy as np
import numpy.typing as npt

from models.speech.sound import RATE, Samples

BANDS = 80
_FFT, _HOP = 400, 160


def mel(sound: Samples, seconds: int) -> npt.NDArray[np.float32]:
    """The spectrum of a window of `seconds`, (`BANDS`, 100 a second): silence follows a shorter sound."""
    padded = np.pad(np.pad(sound, (0, seconds * RATE - len(sound))), _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[:-1:_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)
    power = np.abs(np.fft.rfft(frames * hann.astype(np.float32))) ** 2
    decades = np.log10(np.maximum(power @ _bands(), 1e-10)).T
    return ((np.maximum(decades, decades.max() - 8) + 4) / 4).astype(np.float32)


@cache
def _bands() -> npt.NDArray[np.float64]:
    """Triangles of equal area, (frequencies, bands)."""
    edges = _hertz(np.linspace(0, _mels(RATE / 2), BANDS + 2))
    slopes = edges[None] - np.linspace(0, RATE / 2, _FFT // 2 + 1)[:, None]
    widths = np.diff(edges)
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    triangles: npt.NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    return triangles


#: Linear below 1000 Hz, 15 mels there; above, 27 mels to 6400 Hz.
_LINEAR, _KNEE, _STEP = 200 / 3, 1_000.0, np.log(6.4) / 27


def _mels(hertz: float) -> float:
    return float(_KNEE / _LINEAR + np.log(hertz / _KNEE) / _STEP)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    knee = _KNEE / _LINEAR
    found: npt.NDArray[np.float64] = np.where(mels < knee, mels * _LINEAR, _KNEE * np.exp((mels - knee) * _STEP))
    return found

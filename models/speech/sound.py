"""WAV files: any rate and sample format in, one channel at the rate that the networks read; 16 bits out."""

import io
import struct
import warnings
from math import gcd

import numpy as np
import numpy.typing as npt
from scipy.io import wavfile

#: Samples from -1 to 1, one channel.
Samples = npt.NDArray[np.float32]

#: Samples a second that `read` returns.
RATE = 16_000
#: Seconds and bytes of a file, at most.
LONGEST_S, LARGEST = 30, 8 * 1024 * 1024
_RATES = range(8_000, 192_001)
_FORMATS = ("uint8", "int16", "int32", "float32", "float64")
_EXPECTED = "sound: expected a whole WAV file of integers (8, 16, 24, 32 bits) or floats (32, 64 bits)"


class InvalidSound(ValueError):
    """Bytes that are no WAV file within the limits: what was expected."""


def read(data: bytes) -> Samples:
    """The sound of a WAV file at `RATE`, its channels averaged.

    Reads integers of 8, 16, 24 and 32 bits and floats of 32 and 64, one or two channels. Raises `InvalidSound`.
    """
    if len(data) > LARGEST:
        raise InvalidSound(f"sound: expected at most {LARGEST} bytes, got {len(data)}")
    rate, samples = _decoded(data)
    if rate not in _RATES:
        raise InvalidSound(f"sound: expected {_RATES[0]} to {_RATES[-1]} samples a second, got {rate}")
    if samples.ndim > 1 and samples.shape[1] > 2:
        raise InvalidSound(f"sound: expected one or two channels, got {samples.shape[1]}")
    if len(samples) > LONGEST_S * rate:
        raise InvalidSound(f"sound: expected at most {LONGEST_S} seconds, got {len(samples) / rate:.1f}")
    unit = _unit(samples)
    if not np.isfinite(unit).all():
        raise InvalidSound("sound: expected finite samples")
    mono = unit.mean(axis=1) if unit.ndim > 1 else unit
    resampled = _resampled(mono, rate) if rate != RATE and len(mono) else mono
    return np.clip(resampled, -1, 1).astype(np.float32)


def _resampled(mono: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """At `RATE` instead of `rate`."""
    # Here, as its import takes a quarter of what a server of texts does to begin.
    from scipy.signal import resample_poly

    shared = gcd(RATE, rate)
    return np.asarray(resample_poly(mono, RATE // shared, rate // shared))


def _decoded(data: bytes) -> tuple[int, npt.NDArray[np.generic]]:
    """Samples a second, and samples as the file has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that are no samples
        try:
            rate, samples = wavfile.read(io.BytesIO(data))
        except (ValueError, TypeError, ArithmeticError, UnboundLocalError, struct.error) as broken:
            raise InvalidSound(_EXPECTED) from broken  # SciPy checks no header: any of these may come of a wrong one
    if samples.dtype.name not in _FORMATS:
        raise InvalidSound(f"{_EXPECTED}, got {samples.dtype.name}")
    return int(rate), samples


def _unit(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Samples from -1 to 1; integers of 24 bits come in the upper three bytes of 32."""
    floats = samples.astype(np.float64)
    if samples.dtype.kind == "f":
        return floats
    if samples.dtype.kind == "u":
        return (floats - 128) / 128
    return floats / 2.0 ** (8 * samples.dtype.itemsize - 1)


def written(sound: Samples, rate: int) -> bytes:
    """A WAV file of 16 bits and one channel."""
    target = io.BytesIO()
    wavfile.write(target, rate, (np.clip(sound, -1, 1) * 32_767).astype(np.int16))
    return target.getvalue()

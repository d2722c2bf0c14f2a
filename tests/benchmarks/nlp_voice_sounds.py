"""Sounds in which nobody speaks, made from a seed: silence, noise, fans, hum, music and signals."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from models.speech.sound import RATE

Wave = npt.NDArray[np.float64]
#: Seconds of each sound.
SECONDS = 8
_LENGTH = SECONDS * RATE
#: Hertz of the notes of C major, and the bass notes of a cadence.
_NOTES = (261.6, 293.7, 329.6, 349.2, 392.0, 440.0, 493.9, 523.3)
_CADENCE = (130.8, 174.6, 196.0, 130.8)


def nobody(seed: int) -> Iterator[tuple[str, Wave]]:
    """Sounds of `SECONDS` by name."""
    rng = np.random.default_rng(seed)
    yield "silence", np.zeros(_LENGTH)
    for level in (0.001, 0.02, 0.1, 0.3):
        yield f"white noise {level}", noise(_LENGTH, 0, rng) * level
        yield f"pink noise {level}", noise(_LENGTH, 1, rng) * level
        yield f"fan {level}", fan(_LENGTH, rng) * level
        yield f"hum {level}", _harmonics(50, _times(_LENGTH), (1, 2, 3, 5, 7)) * level
    yield from ((name, made(rng) * 0.3) for name, made in _MUSIC.items())
    yield from ((name, made(_times(_LENGTH)) * 0.2) for name, made in _SIGNALS.items())


def noise(length: int, exponent: float, rng: np.random.Generator) -> Wave:
    """Noise of power 1 whose spectrum falls with the frequency to this exponent: 0 is white, 1 pink."""
    frequencies = np.maximum(np.fft.rfftfreq(length), 1 / length)
    shaped = np.fft.irfft(np.fft.rfft(rng.normal(size=length)) * frequencies ** (-exponent / 2), length)
    return shaped / np.sqrt(np.mean(shaped**2))


def fan(length: int, rng: np.random.Generator) -> Wave:
    """Air and the harmonics of the blades, both of which pulse as the fan turns."""
    times = _times(length)
    blades = _harmonics(rng.uniform(80, 160), times, range(1, 9))
    both = noise(length, 1.5, rng) + 0.5 * blades
    return both * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(1, 6) * times)) / np.sqrt(np.mean(both**2))


def _times(length: int) -> Wave:
    return np.arange(length) / RATE


def _harmonics(hertz: float, times: Wave, which: Sequence[int]) -> Wave:
    return sum((np.sin(2 * np.pi * hertz * k * times) / k for k in which), np.zeros(len(times)))


def _note(hertz: float, seconds: float, falls: float) -> Wave:
    """A plucked string, its level falling so often to 1/e in a second."""
    times = _times(int(seconds * RATE))
    return _harmonics(hertz, times, range(1, 8)) * np.minimum(times / 0.02, 1) * np.exp(-falls * times)


def _joined(notes: Sequence[Wave]) -> Wave:
    every = np.concatenate(notes)[:_LENGTH]
    return np.pad(every, (0, _LENGTH - len(every)))


def _melody(rng: np.random.Generator) -> Wave:
    return _joined([_note(rng.choice(_NOTES), rng.choice((0.2, 0.4, 0.8)), 3) for _ in range(40)])


def _chords(rng: np.random.Generator) -> Wave:
    third = rng.choice((1.19, 1.26))
    return _joined([sum(_note(bass * step, 2, 0.7) for step in (1, third, 1.5)) / 3 for bass in _CADENCE])


def _drums(rng: np.random.Generator) -> Wave:
    times = _times(RATE // 4)
    low = np.sin(2 * np.pi * (50 + 60 * np.exp(-30 * times)) * times) * np.exp(-15 * times)
    return _joined([low if beat % 2 == 0 else rng.normal(size=len(times)) * np.exp(-25 * times) for beat in range(32)])


def _violin(rng: np.random.Generator) -> Wave:
    times = _times(2 * RATE)
    bent = times + 0.0005 * np.sin(2 * np.pi * 5.5 * times)
    return _joined([_harmonics(rng.choice(_NOTES), bent, range(1, 12)) / 2 for _ in range(4)])


def _band(rng: np.random.Generator) -> Wave:
    return (_melody(rng) + _chords(rng) + _drums(rng)) / 2


def _beeps(times: Wave, hertz: Sequence[float], every_s: float, long_s: float) -> Wave:
    return sum((np.sin(2 * np.pi * one * times) for one in hertz), np.zeros(len(times))) * (times % every_s < long_s)


_MUSIC: dict[str, Callable[[np.random.Generator], Wave]] = {
    "melody": _melody,
    "chords": _chords,
    "drums": _drums,
    "violin": _violin,
    "band": _band,
}
_SIGNALS: dict[str, Callable[[Wave], Wave]] = {
    "beeps": partial(_beeps, hertz=(1000,), every_s=1, long_s=0.3),
    "ringing": partial(_beeps, hertz=(440, 480), every_s=3, long_s=1),
    "keys": partial(_beeps, hertz=(770, 1336), every_s=0.5, long_s=0.2),
    "sweep": lambda times: np.sin(2 * np.pi * (200 * times + 150 * times**2)),
}

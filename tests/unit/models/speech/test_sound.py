"""WAV files of every common kind are the same sound; others are refused with what was expected."""

import io
import struct

import numpy as np
import pytest
from scipy.io import wavfile

from models.speech.sound import LARGEST, RATE, InvalidSound, read, written

TONE = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) / 2


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    target = io.BytesIO()
    wavfile.write(target, rate, samples)
    return target.getvalue()


def of_24_bits(samples: np.ndarray) -> bytes:
    data = b"".join(struct.pack("<i", round(one * 2**23))[:3] for one in samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 3 * RATE, 3, 24)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data


@pytest.mark.parametrize(
    ("data", "within"),
    [
        (wav((TONE * 127 + 128).round().astype(np.uint8)), 0.01),
        (wav((TONE * 32_767).astype(np.int16)), 1e-4),
        (of_24_bits(TONE), 1e-6),
        (wav((TONE * (2**31 - 1)).astype(np.int32)), 1e-6),
        (wav(TONE.astype(np.float32)), 1e-6),
        (wav(TONE), 1e-6),
        (wav(np.stack([TONE * 2, TONE * 0], axis=1)), 1e-6),
        (written(TONE.astype(np.float32), RATE), 1e-4),
    ],
    ids=["8", "16", "24", "32", "float32", "float64", "stereo", "own"],
)
def test_every_format_is_the_same_sound(data: bytes, within: float) -> None:
    sound = read(data)
    assert sound.dtype == np.float32
    np.testing.assert_allclose(sound, TONE, atol=within)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 192_000])
def test_every_rate_is_resampled(rate: int) -> None:
    sound = read(wav((np.sin(2 * np.pi * 440 * np.arange(rate) / rate) / 2).astype(np.float32), rate))
    assert len(sound) == RATE
    np.testing.assert_allclose(sound[800:-800], TONE[800:-800], atol=0.01)  # the ends ring


def test_what_a_lower_rate_cannot_hold_is_gone() -> None:
    high = np.sin(2 * np.pi * 11_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(read(wav(high, 48_000))[800:-800]).max() < 0.02  # not an echo of 5000 Hz


def test_a_stream_without_its_length_is_read_to_its_end_and_no_samples_are_silence() -> None:
    data = bytearray(written(TONE.astype(np.float32), RATE))
    data[4:8] = data[40:44] = b"\xff" * 4
    assert len(read(bytes(data))) == RATE
    assert len(read(wav(np.zeros(0, np.int16), 8_000))) == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "a whole WAV file"),
        (b"ID3" + b"\0" * 200, "a whole WAV file"),
        (wav((TONE * 32_767).astype(np.int16))[:30], "a whole WAV file"),
        (wav(TONE.astype(np.float32)).replace(b"fmt ", b"fmx "), "a whole WAV file"),
        (wav(TONE.astype(np.int64)), "a whole WAV file.*, got int64"),
        (wav(np.zeros((100, 6), np.int16)), "one or two channels, got 6"),
        (wav(np.zeros(100, np.int16), 4_000), "8000 to 192000 samples a second, got 4000"),
        (wav(np.zeros(31 * 8_000, np.uint8), 8_000), "at most 30 seconds, got 31.0"),
        (wav(np.array([0.0, np.nan], np.float32)), "finite samples"),
        (b"R" * (LARGEST + 1), f"at most {LARGEST} bytes"),
    ],
)
def test_what_is_no_sound_is_refused_with_what_was_expected(data: bytes, expected: str) -> None:
    with pytest.raises(InvalidSound, match=f"sound: expected {expected}"):
        read(data)


def test_no_damage_to_a_header_breaks_the_reader() -> None:
    rng, whole = np.random.default_rng(0), [wav(TONE[:200].astype(np.float32)), of_24_bits(TONE[:200])]
    refused = 0
    for place in range(500):
        damaged = bytearray(whole[place % 2])
        damaged[rng.integers(44)] = rng.integers(256)
        try:
            read(bytes(damaged))
        except InvalidSound:
            refused += 1
    assert refused > 100

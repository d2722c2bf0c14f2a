"""Drift of vectors, and of texts and lists by the vectors that a family makes of them."""

import numpy as np
import pandas as pd
import pytest

from serving.monitoring.detector import Drift, Expected, detector
from serving.monitoring.embedding import embeds


def vectors(count: int, seed: int, shift: float = 0.0, size: int = 8) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).normal(shift, 1.0, (count, size)))


def seen(reference: object, window: object, kind: str = "vector", **own: object) -> Drift:
    expected = Expected(embed=embeds({"it": kind}, own))
    frames = [pd.DataFrame({"it": pd.Series(values, dtype=object)}) for values in (reference, window)]
    return detector("scipy", frames[0], 0.01, 0.1, expected).detect(frames[1])["it"]


def lengths(texts: "pd.Series[str]") -> np.ndarray:
    return np.array([[len(text), text.count(" ")] for text in texts], dtype=float)


def test_vectors_that_do_not_move_are_steady() -> None:
    found = [seen(vectors(600, seed), vectors(300, 100 + seed)) for seed in range(40)]
    assert sum(drift.drifted for drift in found) == 0
    # The null distribution is right: about one in ten is below a tenth.
    assert 0 <= sum(drift.p_value < 0.1 for drift in found) <= 9


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_vectors_that_move_are_seen_by_how_far(shift: float) -> None:
    assert seen(vectors(600, 1), vectors(300, 2, shift)).drifted


def test_a_spread_that_grows_is_seen_where_the_mean_stays() -> None:
    wide = [3 * one for one in vectors(300, 2)]
    assert seen(vectors(600, 1), wide).drifted


def test_vectors_are_read_as_the_request_log_keeps_them() -> None:
    window = vectors(300, 2)
    as_json = [str(one.tolist()) for one in window]
    assert seen(vectors(600, 1), as_json) == seen(vectors(600, 1), window)


def test_texts_are_compared_by_the_familys_own_vectors() -> None:
    rng = np.random.default_rng(0)
    short, long = ([" ".join(["word"] * size) for size in rng.integers(low, low + 9, 400)] for low in (2, 12))
    assert seen(short, long, "text", it=lengths).drifted
    assert not seen(short, short[:200], "text", it=lengths).drifted
    # New texts are no new categories: only their distance counts.
    assert not seen(short, [text.replace("word", "mond") for text in short], "text", it=lengths).drifted


@pytest.mark.parametrize("distinct", [2, 5, 12, 40])
def test_texts_that_repeat_shift_as_far_as_their_shares_do(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    texts = [" ".join(["word"] * (3 * one + 1)) for one in range(distinct)]
    reference, same = rng.choice(texts, 900), rng.choice(texts, 700)
    other = rng.choice(texts, 700, p=np.linspace(0.1, 2.0, distinct) / np.linspace(0.1, 2.0, distinct).sum())
    steady, moved = (seen(reference, window, "text", it=lengths) for window in (same, other))
    assert steady.psi < 0.1 < moved.psi
    assert moved.drifted and not steady.drifted


@pytest.mark.parametrize("kind", ["text", "uri", "candidates"])
def test_what_nothing_makes_vectors_of_is_only_seen_to_go_missing(kind: str) -> None:
    values = ["a:b"] * 300 if kind != "candidates" else [["a"]] * 300
    other = ["c:d"] * 300 if kind != "candidates" else [["b"]] * 300
    assert not seen(values, other, kind).drifted
    gone = seen(values, [None] * 150 + values[:150], kind)
    assert gone.drifted and "missing" in gone.why


def test_few_vectors_say_nothing_and_equal_ones_are_steady() -> None:
    assert seen(vectors(600, 1), vectors(5, 2, 9.0)).p_value == 1.0
    assert not seen([np.ones(3)] * 100, [np.ones(3)] * 100).drifted

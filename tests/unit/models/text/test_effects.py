"""Effects of texts: planted ones are found, in size and certainty, and read back as they were written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.text.effects import TextEffects, fit
from models.text.effects.evidence import evidence

NOUNS = ("shoes", "coffee", "a garden", "your bicycle", "winter jackets", "old books", "the kitchen", "a guitar")
VERBS = ("care for", "choose", "repair", "love", "sell", "forget about", "paint", "share")
#: Log-odds that a question adds.
PLANTED = 0.5


def headlines(verbs: tuple[str, ...]) -> list[tuple[str, str]]:
    """Two ways to say the same: told, and asked."""
    return [(f"How we {verb} {noun}", f"How do we {verb} {noun}?") for verb in verbs for noun in NOUNS]


@pytest.fixture(scope="module")
def market() -> pd.DataFrame:
    """A test a pair of headlines, whose levels differ far more than its headlines do."""
    rng = np.random.default_rng(0)
    pairs = headlines(VERBS[:6])
    level = rng.normal(-3.5, 0.7, len(pairs))
    odds = np.exp(level[:, None] + np.array([0.0, PLANTED]))
    clicks = rng.binomial(3000, odds / (1 + odds))
    return pd.DataFrame(
        {
            "text": np.array(pairs).ravel(),
            "group": np.repeat([f"test {place}" for place in range(len(pairs))], 2),
            "impressions": 3000,
            "clicks": clicks.ravel(),
        }
    )


@pytest.fixture(scope="module")
def effects(market: pd.DataFrame) -> TextEffects:
    return learnt(market)


def learnt(market: pd.DataFrame) -> TextEffects:
    return fit(market["text"].tolist(), market["group"].tolist(), market["impressions"], market["clicks"])


def test_a_planted_effect_is_found_in_headlines_that_were_never_shown(effects: TextEffects) -> None:
    told, asked = (list(texts) for texts in zip(*headlines(VERBS[6:]), strict=True))
    mean, deviation = effects.difference(asked, told)
    assert PLANTED * 0.6 < mean.mean() < PLANTED * 1.3
    assert (effects.beats(asked, told) > 0.8).mean() > 0.9
    np.testing.assert_allclose(mean, effects.score(asked) - effects.score(told), atol=1e-5)
    assert (deviation > 0).all()


def test_the_order_of_two_headlines_turns_the_probability_round(effects: TextEffects) -> None:
    told, asked = (list(texts) for texts in zip(*headlines(VERBS[5:]), strict=True))
    np.testing.assert_allclose(effects.beats(told, asked), 1 - effects.beats(asked, told), atol=1e-6)
    assert effects.beats(told, told).tolist() == [0.5] * len(told)


def test_without_clicks_that_differ_nothing_is_claimed(market: pd.DataFrame, effects: TextEffects) -> None:
    told, asked = (list(texts) for texts in zip(*headlines(VERBS[6:]), strict=True))
    rng = np.random.default_rng(1)
    same = market.assign(clicks=rng.binomial(3000, 0.03, len(market)))
    assert np.abs(learnt(same).difference(asked, told)[0]).max() < PLANTED / 4
    few = market.assign(impressions=30, clicks=market["clicks"] // 100)
    assert np.abs(learnt(few).beats(asked, told) - 0.5).mean() < np.abs(effects.beats(asked, told) - 0.5).mean()


def test_a_text_unlike_all_others_has_a_wider_error_than_one_like_them(effects: TextEffects) -> None:
    told, asked = headlines(VERBS[:1])[0]
    _, known = effects.difference([asked], [told])
    _, unknown = effects.difference(["Quarterly VAT deadline moves to 31 March!"], [told])
    assert unknown[0] > 1.5 * known[0]


def test_what_is_read_back_answers_the_same(effects: TextEffects, market: pd.DataFrame, tmp_path: Path) -> None:
    effects.save(tmp_path)
    texts = market["text"].tolist()
    loaded = TextEffects.load(tmp_path)
    np.testing.assert_array_equal(loaded.score(texts), effects.score(texts))
    np.testing.assert_array_equal(loaded.beats(texts[::2], texts[1::2]), effects.beats(texts[::2], texts[1::2]))
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_learning_again_gives_the_same(effects: TextEffects, market: pd.DataFrame) -> None:
    texts = market["text"].tolist()
    np.testing.assert_array_equal(learnt(market).score(texts), effects.score(texts))


def test_counts_of_a_text_in_a_group_are_added_up_and_noise_is_that_of_the_group() -> None:
    rows = evidence(["a", "a", "b", "a"], ["x", "x", "x", "y"], [100, 300, 400, 50], [1, 3, 20, 0])
    shown = {(rows.texts[text], group): at for at, (text, group) in enumerate(zip(rows.text, rows.group, strict=True))}
    first, second, alone = shown["a", 0], shown["b", 0], shown["a", 1]
    assert rows.value[second] - rows.value[first] == pytest.approx(np.log(20.5 / 380.5) - np.log(4.5 / 396.5))
    assert rows.noise[first] == rows.noise[second] == pytest.approx(1 / (400 * 0.0305868 * 0.9694132), rel=1e-4)
    assert rows.noise[alone] > rows.noise[first]
    assert np.isfinite(rows.value).all()


def test_groups_with_a_text_in_common_are_not_parted() -> None:
    texts = [f"{kind} {place // 2}" for place in range(40) for kind in ("told", "asked")]
    groups = np.repeat([f"test {place}" for place in range(40)], 2).tolist()
    rows = evidence(texts, groups, [100] * 80, [3] * 80)
    rest, held = rows.apart(0.3, seed=0)
    assert len(rest) + len(held) == len(rows)
    assert len(held) > 0
    assert not set(rest.texts) & set(held.texts)


def test_blocks_hold_each_row_once_and_cut_a_group_that_is_too_large() -> None:
    texts = [f"text {place}" for place in range(50)]
    blocks = evidence(texts, ["x"] * 40 + ["y"] * 10, [100] * 50, [3] * 50).blocks(20, seed=0)
    assert [len(block) for block in blocks] == [20, 20, 10]
    assert sorted(text for block in blocks for text in block.texts) == sorted(texts)


@pytest.mark.parametrize(("impressions", "clicks"), [([10, 10], [11, 0]), ([10, 10], [-1, 0]), ([np.inf, 1], [0, 0])])
def test_counts_that_cannot_be_are_refused(impressions: list[float], clicks: list[float]) -> None:
    with pytest.raises(ValueError, match="no more clicks than impressions"):
        fit(["a", "b"], ["x", "x"], impressions, clicks)


def test_one_text_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="at least two that were shown"):
        fit(["a", "b"], ["x", "x"], [10, 0], [1, 0])


def test_texts_without_words_have_scores_and_are_not_learnt_from(effects: TextEffects) -> None:
    assert np.isfinite(effects.score(["", "\u2602\ufe0f", "42"])).all()
    with pytest.raises(ValueError, match="a word of two letters or more"):
        fit(["", "\u2602\ufe0f"], ["x", "x"], [10, 10], [1, 0])

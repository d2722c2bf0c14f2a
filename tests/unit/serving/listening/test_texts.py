"""What is read of texts: copies, phrases, languages and typical posts."""

import numpy as np

from models.text.embedding import embed
from serving.listening.duplicates import alike, keys, pairs
from serving.listening.phrases import emerging
from serving.listening.sentiment import language
from serving.listening.typical import typical


def test_copies_are_alike_and_other_texts_are_not() -> None:
    said = "the soles of my new shoes melted in the sun after only three days"
    copy, other = f"RT @you: {said.upper()}!! https://t.co/x #shoes", "the soles of my new shoes are really comfortable"
    assert alike(pairs(said), pairs(copy))
    assert set(keys(pairs(said))) & set(keys(pairs(copy)))
    assert not alike(pairs(said), pairs(other))
    assert not alike(pairs("😡😡"), pairs("😍😍"))


def test_phrases_that_rose_are_found_and_usual_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    usual = ["great shoes", "fast delivery", "good price", "nice colour", "my size"]
    before = [f"runfast {rng.choice(usual)} {rng.choice(usual)}" for _ in range(400)]
    now = [*before[:60], *(f"runfast battery fire {rng.choice(usual)}" for _ in range(15))]
    found = emerging(now, before)
    assert [one.text for one in found] == ["runfast battery fire"]
    assert (found[0].now, found[0].before) == (15, 0)
    assert emerging(before[:80], before[80:]) == []


def test_a_language_is_told_of_enough_letters_only() -> None:
    assert language("Die Schuhe sind leider nach einer Woche kaputt gegangen") == "de"
    assert language("😡😡😡 !!!") == "en"


def test_typical_posts_stand_for_all_and_are_no_copies_of_each_other() -> None:
    texts = ["the battery burns"] * 3 + ["the battery is on fire"] * 3 + ["delivery is late again"] * 2
    found = typical(embed(texts), [1.0] * 7 + [10.0], 2)
    assert {texts[place].split()[0] for place, _ in found} == {"the", "delivery"}
    assert sum(weight for _, weight in found) == 17
    assert len(typical(embed(texts), [1.0] * 8, 5)) == 3

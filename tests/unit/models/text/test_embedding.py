import numpy as np

from models.text.embedding import SIZE, embed

SHOES = "Running shoes for wet trails"


def test_related_texts_are_closer_than_unrelated_ones() -> None:
    shoes, related, other = embed([SHOES, "Trail runners that keep your feet dry", "Quarterly tax filing made easy"])
    assert shoes @ related > shoes @ other + 0.2


def test_an_embedding_has_length_one_and_does_not_depend_on_other_texts() -> None:
    among = embed(["a", SHOES, "a far longer text about something else entirely, with many more words than the others"])
    assert among.shape == (3, SIZE)
    np.testing.assert_allclose(np.linalg.norm(among, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(among[1], embed([SHOES])[0])


def test_empty_and_long_texts_have_embeddings_too() -> None:
    assert np.isfinite(embed(["", "word " * 5000, "☂️"])).all()
    assert embed([]).shape == (0, SIZE)

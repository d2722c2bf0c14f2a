"""What pipelines encode is kept on disk: read as it was made, by no other encoder, and bounded."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models import kept
from models.text import embedding
from models.text.embedding import viewed


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(kept, "_place", None)
    yield tmp_path / "encoded"
    kept._opened.cache_clear()


def no_encoder(text: str) -> list[embedding.Vectors]:
    raise AssertionError("encoded again")


def test_a_text_is_encoded_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = viewed("Running shoes, £10 ☂️")
    kept.keep_in(place)
    np.testing.assert_array_equal(viewed("Running shoes, £10 ☂️"), told)
    kept._opened.cache_clear()  # another process
    monkeypatch.setattr(embedding, "states", no_encoder)
    np.testing.assert_array_equal(viewed("Running shoes, £10 ☂️"), told)
    with pytest.raises(AssertionError, match="encoded again"):
        viewed("running shoes, £10 ☂️")
    monkeypatch.setattr(embedding, "SHA256", "of other weights")
    with pytest.raises(AssertionError, match="encoded again"):
        viewed("Running shoes, £10 ☂️")


def test_nothing_is_kept_where_nobody_said_where(monkeypatch: pytest.MonkeyPatch) -> None:
    viewed("Running shoes")
    monkeypatch.setattr(embedding, "states", no_encoder)
    with pytest.raises(AssertionError, match="encoded again"):
        viewed("Running shoes")


def test_the_oldest_texts_go_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    kept.keep_in(place)
    for text in "abc":
        kept.keep("encoder", text, text.encode())
    kept._opened.cache_clear()
    assert [kept.recall("encoder", text) for text in "abc"] == [None, b"b", b"c"]

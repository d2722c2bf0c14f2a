"""Tuned blocks: they start as the backbone's, resume where they were killed, and say the same as their graph."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from models.image import efficientnet
from models.image.backbone import batched, see
from models.image.efficientnet import BLOCKS, SIZE
from models.vision.encoder import TunedTail
from models.vision.examples import examples_of
from models.vision.fit import fit
from models.vision.params import VisionParams
from models.vision.reading import pictures
from models.vision.tuning import filled, maps, training
from models.vision.tuning.maps import variants, written
from models.vision.tuning.network import TunedBlocks
from models.vision.tuning.training import ImageExamples, tune

PARAMS = VisionParams(seed=1, side=96, epochs=2, variants=2)


@pytest.fixture(scope="module")
def pixels(images: pd.DataFrame, pictures_home: Path) -> list[np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADLOOP_HOME", str(pictures_home))
        return [picture.pixels for picture in pictures(images["uri"].head(4)) if picture is not None]


@pytest.mark.parametrize("blocks", [5, 11])
def test_they_start_as_the_backbone_is(pixels: list[np.ndarray], blocks: int) -> None:
    network, start = TunedBlocks(len(BLOCKS) - blocks, 3).eval(), len(BLOCKS) - blocks
    graph = TunedTail(efficientnet.tail(start, network.arrays()), blocks)
    for one in pixels:
        seen = see(batched(one))
        with torch.inference_mode():
            ours = network.vectors(torch.from_numpy(seen.map16 if blocks == 5 else seen.map8)[None])[0].numpy()
        np.testing.assert_allclose(ours, seen.embedding, atol=1e-4)
        np.testing.assert_allclose(graph.of(seen), seen.embedding, atol=1e-4)


def test_changed_blocks_say_the_same_as_their_graph(pixels: list[np.ndarray]) -> None:
    network = TunedBlocks(11, 3).eval()
    with torch.no_grad():
        for weight in network.convolutions.parameters():
            weight.mul_(0.9)
    seen = see(batched(pixels[0]))
    with torch.inference_mode():
        told = network.vectors(torch.from_numpy(seen.map16)[None])[0].numpy()
    assert np.abs(told - seen.embedding).max() > 0.01
    np.testing.assert_allclose(TunedTail(efficientnet.tail(11, network.arrays()), 5).of(seen), told, atol=1e-4)


def examples(images: pd.DataFrame, folder: Path) -> ImageExamples:
    uris = images["uri"].head(12).tolist()
    ratings = images["rating"].head(12).to_numpy(copy=True)
    ratings[0] = np.nan
    codes = (images["label"].head(12) == "lying").to_numpy().astype(np.int64)
    codes[1] = -1
    return ImageExamples(written(uris, PARAMS, folder), codes, 2, ratings)


def test_a_killed_training_resumes_to_the_same_weights(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = examples(images, tmp_path / "maps")
    whole = tune(told, PARAMS, tmp_path / "whole")
    keep, kept = training.ImageTraining.keep, []

    def stop(run, file, epochs):
        keep(run, file, epochs)
        kept.append(epochs)
        if len(kept) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.ImageTraining, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        tune(told, PARAMS, tmp_path / "killed")
    resumed = tune(told, PARAMS, tmp_path / "killed")
    assert kept == [1, 2]
    for name, weight in whole.arrays.items():
        np.testing.assert_allclose(resumed.arrays[name], weight, atol=1e-6)
    np.testing.assert_allclose(resumed.labels[0], whole.labels[0], atol=1e-6)
    assert np.isfinite(whole.labels[0]).all() and whole.labels[0].shape == (2, SIZE)


def test_maps_go_on_where_they_were_killed(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uris = images["uri"].head(10).tolist()
    whole = np.array(written(uris, PARAMS, tmp_path / "whole"))
    monkeypatch.setattr(filled, "AT_ONCE", 4)
    drawn, plain = [], maps.variants

    def stop(pixels, params, place):
        drawn.append(place)
        if drawn == [0, 1, 2, 3, 4, 5]:
            raise KeyboardInterrupt
        return plain(pixels, params, place)

    monkeypatch.setattr(maps, "variants", stop)
    with pytest.raises(KeyboardInterrupt):
        written(uris, PARAMS, tmp_path / "killed")
    np.testing.assert_array_equal(written(uris, PARAMS, tmp_path / "killed"), whole)
    assert drawn[6:] == [4, 5, 6, 7, 8, 9], "what was safe is not read again"


def test_variants_are_the_whole_picture_and_parts_of_it(pixels: list[np.ndarray]) -> None:
    params = PARAMS.model_copy(update={"variants": 5})
    found = list(variants(pixels[0], params, 7))
    assert [one.shape for one in found] == [(96, 96, 3)] * 5
    np.testing.assert_array_equal(found[0], pixels[0])
    assert len({one.tobytes() for one in found}) == 5
    np.testing.assert_array_equal(found, list(variants(pixels[0], params, 7)))


def test_a_model_with_tuned_blocks_is_read_as_it_was_fitted(images: pd.DataFrame, tmp_path: Path) -> None:
    parts = {split: rows for split, rows in examples_of(images, PARAMS).groupby("split")}
    params = PARAMS.model_copy(update={"epochs": 1, "variants": 1})
    model = fit(parts["train"], parts["valid"], params, tmp_path)
    assert model.tuned is not None and "5 tuned blocks" in model.learnt
    model.save(tmp_path / "saved")
    again = type(model).load(tmp_path / "saved")
    pd.testing.assert_frame_equal(again.predict(parts["test"]), model.predict(parts["test"]))
    assert fit(parts["train"].head(16), parts["valid"].head(0), params, tmp_path / "alone").tuned is not None

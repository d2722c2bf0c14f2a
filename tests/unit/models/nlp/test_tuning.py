"""Tuned layers: they start as MiniLM's, resume where they were killed, and say the same as a graph."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.nlp.encoder import TunedEncoder
from models.nlp.features import STARTS
from models.nlp.params import NlpParams
from models.nlp.tuning import training
from models.nlp.tuning.graph import graph
from models.nlp.tuning.network import LastLayers
from models.nlp.tuning.training import TaskExamples, tune
from models.text.embedding import states

TEXTS = [
    f"{say} the {thing}" for thing in ("lamp", "tea", "sofa") for say in ("please order", "I hate", "how large is")
]
PARAMS = NlpParams(seed=1, layers=1, epochs=2)

Layers = list[np.ndarray]


@pytest.fixture(scope="module")
def before() -> list[Layers]:
    """The frozen encoder's states of each text, by layer."""
    return [states(text) for text in TEXTS]


@pytest.fixture(scope="module")
def examples(before: list[Layers]) -> dict[str, TaskExamples]:
    return {"intent": TaskExamples([one[STARTS[1]] for one in before], np.arange(9) % 3, 3)}


@pytest.mark.parametrize("count", [1, 3])
def test_they_start_as_the_layers_of_the_frozen_encoder(before: list[Layers], count: int) -> None:
    layers = LastLayers.pretrained(count).eval()
    with torch.inference_mode():
        ours = [layers(torch.from_numpy(one[STARTS[count]])[None])[0].numpy() for one in before]
    theirs = [one[-1].mean(axis=0) for one in before]
    for mine, its in zip(ours, theirs, strict=True):  # the frozen encoder has 8-bit weights
        assert mine @ its / np.linalg.norm(mine) / np.linalg.norm(its) > 0.98


def test_a_killed_training_resumes_to_the_same_weights(
    examples: dict[str, TaskExamples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tune(examples, PARAMS, tmp_path / "whole").state_dict()
    keep, kept = training.TuningRun.keep, []

    def stop(run, file, epochs):
        keep(run, file, epochs)
        kept.append(epochs)
        if len(kept) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.TuningRun, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        tune(examples, PARAMS, tmp_path / "killed")
    resumed = tune(examples, PARAMS, tmp_path / "killed").state_dict()
    assert kept == [1, 2]
    for name, weight in whole.items():
        torch.testing.assert_close(resumed[name], weight)


def test_no_epoch_begins_after_its_time(
    examples: dict[str, TaskExamples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(training.TuningRun, "keep", lambda run, file, epochs: kept.append(epochs))
    tune(examples, PARAMS.model_copy(update={"minutes": 1e-6}), tmp_path)
    assert kept == [1]


def test_the_graph_says_the_same_as_the_layers_whatever_the_length(before: list[Layers]) -> None:
    layers = LastLayers.pretrained(1).eval()
    starts = [one[STARTS[1]] for one in before]
    content = graph(layers, starts)
    with torch.inference_mode():
        exact = np.stack([layers(torch.from_numpy(one)[None])[0].numpy() for one in starts])
    said = TunedEncoder(content).of(starts)
    cosines = (exact * said).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(said, axis=1)
    assert cosines.min() > 0.99
    assert len(content) < 4 << 20, "8-bit weights"

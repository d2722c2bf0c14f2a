"""Scores say in words what their numbers are."""

import numpy as np
from PIL import Image

from models.image.traits import traits
from serving.images.scores import scores
from tests.unit.models.image.drawn import picture, plain


def said(image: Image.Image) -> dict[str, str]:
    return {one.name: one.says for one in scores(traits(picture(image)))}


def test_a_picture_of_one_colour_is_flat_and_calm():
    words = said(plain("gray"))
    assert words["contrast"] == "flat"
    assert words["clutter"] == "calm"
    assert words["colourfulness"] == "nearly grey"
    assert words["harmony"] == "harmonious: greys only"
    assert words["negative space"].startswith("much calm space")
    assert words["contrast of text"] == words["text share"] == "no text"


def test_noise_is_noisy_and_cluttered():
    words = said(Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)))
    assert (words["clutter"], words["noise"]) == ("cluttered", "noisy")
    assert words["negative space"] == "hardly any calm space for a message"


def test_what_is_black_or_white_without_detail_is_told():
    image = plain("gray")
    image.paste("white", (0, 0, 320, 160))
    assert said(image)["lost detail"] == "large parts without any detail"

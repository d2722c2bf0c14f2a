"""Whatever people upload is analysed rightly or refused clearly, and always alike."""

import json
import struct
import zlib
from functools import cache

import numpy as np
import pytest
from PIL import Image

from models.image.picture import InvalidPicture, opened
from models.image.traits import LONGEST
from serving.images.analysis import NOT_LEARNT, Analysis, analyse
from serving.images.rating import PictureRating
from tests.unit.models.image.drawn import PHOTOS, lettered, picture, plain, png, sky, written


def analysed(content: bytes) -> Analysis:
    return analyse(opened(content, LONGEST))


@cache
def ad() -> Analysis:
    """White text on a light sky above black text on it."""
    image = lettered(sky(), "Fly to the sun", (60, 500), 60, "white")
    return analyse(picture(lettered(image, "Fares from 49", (60, 380), 50, "black")))


def test_white_text_on_a_light_sky_is_warned_of_with_its_place():
    below = [one for one in ad().traits.contrasts if not one.enough]
    assert [one.line.text for one in below] == ["Fly to the sun"]
    assert below[0].ratio < 2
    xs, ys = zip(*below[0].line.corners, strict=True)
    assert 40 < min(xs) < 70 < 400 < max(xs) < 520
    assert 490 < min(ys) < max(ys) < 590
    (warning,) = ad().warnings
    assert warning.startswith("text 'Fly to the sun' is hard to read: 1.")
    score = {one.name: one for one in ad().scores}["contrast of text"]
    assert (score.value, score.overlay) == (0.5, "text")


def test_the_answer_is_json_and_says_nothing_of_ratings_or_of_who_it_is():
    told = json.loads(json.dumps(ad().as_dict()))
    assert told["rating"] == NOT_LEARNT
    assert told["faces"] == {"count": 0, "boxes": []}
    assert told["text_contrast"][1]["enough"] is False
    assert {one["overlay"] for one in told["scores"]} == {"composition", "calm", "colour", "quality", "text"}
    assert all(0 <= one["value"] <= 1 for one in told["scores"])


def test_the_same_bytes_have_the_same_answer():
    content = (PHOTOS / "astronaut.png").read_bytes()
    first, again = analysed(content), analysed(content)
    assert first.as_dict() == again.as_dict()
    assert np.array_equal(first.traits.embedding, again.traits.embedding)
    assert len(first.traits.faces) == 1


def test_a_learnt_rating_is_told_with_the_scale_of_the_raters():
    rated = analyse(picture(plain("teal")), rating=PictureRating(7.5, 1, 10))
    assert rated.as_dict()["rating"] == {"value": 7.5, "low": 1, "high": 10}


@pytest.mark.parametrize(
    ("kind", "options", "notes"),
    [
        ("CMYK", {}, ("converted from CMYK",)),
        ("I;16", {}, ("converted from 16 bits",)),
        ("RGBA", {}, ()),
        ("GIF", {"save_all": True, "append_images": [plain("red", 200, 100)]}, ("first of 2 frames",)),
    ],
)
def test_unusual_files_are_analysed(kind, options, notes):
    image = lettered(plain("white", 200, 100), "Sale", (40, 20), 50, "black")
    match kind:
        case "CMYK":
            content = written(image.convert("CMYK"), "JPEG", quality=95)
        case "I;16":
            grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
            content = written(Image.fromarray(grey), "PNG")
        case "GIF":
            content = written(image, "GIF", **options)
        case _:
            content = written(image.convert("RGBA"), "PNG")
    found = analysed(content)
    assert found.traits.lettering.text == "Sale"
    assert found.picture.notes == notes


def test_text_is_read_as_it_is_seen_where_exif_turns_the_picture():
    image = lettered(plain("white", 300, 160), "Upright", (40, 40), 60, "black")
    exif = Image.Exif()
    exif[0x0112] = 3
    found = analysed(written(image.transpose(Image.Transpose.ROTATE_180), "JPEG", exif=exif, quality=95))
    assert found.traits.lettering.text == "Upright"
    assert found.picture.notes == ("turned as its EXIF says",)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "got none"),
        (b"not a picture", "got a text"),
        (b"\0\0\0\x18ftypheic" + bytes(64), "HEIC"),
        (png(plain("red"))[:200], "whole"),
    ],
)
def test_what_is_no_picture_is_refused(content, got):
    with pytest.raises(InvalidPicture, match=got):
        analysed(content)


def test_a_decompression_bomb_is_refused():
    content = png(plain("red", 8, 8))
    header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + content[24:29]
    bomb = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    with pytest.raises(InvalidPicture, match="120 million pixels"):
        analysed(bomb)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_tiny_and_thin_pictures_have_an_analysis(size):
    found = analysed(png(plain("teal", *size)))
    assert (found.picture.width, found.picture.height) == size
    assert found.as_dict()["text"] == {"lines": [], "share": 0.0}
    assert found.traits.faces == found.warnings == ()

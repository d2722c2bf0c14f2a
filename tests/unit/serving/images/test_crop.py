"""Crops hold the product whole, or are padded or refused, whatever the picture and the format."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.image.box import Box
from models.image.picture import Picture, opened
from serving.images.crop import MOST_PADDING, Crop, crop
from serving.images.crop_overlay import overlay
from serving.images.window import CropWindow, Margins

STORIES = Margins(top=0.14, bottom=0.2)
GREEN = (0, 255, 0)
PHOTOS = Path(skimage.__file__).parent / "data"


def ad(width: int, height: int, product: Box, background: tuple[int, int, int] = (200, 200, 200)) -> Picture:
    """A picture with a green product of one colour."""
    image = Image.new("RGB", (width, height), background)
    image.paste(GREEN, tuple(map(int, product.place)))
    return written(image)


def written(image: Image.Image, kind: str = "PNG", **options: object) -> Picture:
    to = io.BytesIO()
    image.save(to, kind, **options)
    return opened(to.getvalue())


def greens(found: Crop) -> tuple[int, int, int, int]:
    """Where the product is in a crop: left, top, right, bottom."""
    assert found.pixels is not None
    there = (found.pixels[:, :, 1] > 180) & (found.pixels[:, :, 0] < 120)
    rows, columns = there.any(axis=1).nonzero()[0], there.any(axis=0).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def test_a_crop_holds_a_product_at_the_edge() -> None:
    product = Box("product", 1, 850, 100, 1000, 300)
    found = crop(ad(1000, 400, product), (400, 400), [product])
    assert not found.padded and found.kept == 1 and found.pixels is not None and found.pixels.shape == (400, 400, 3)
    assert found.window == CropWindow(600, 0, 400, 400)
    assert greens(found) == (250, 100, 400, 300)


def test_a_product_that_is_wider_than_the_target_is_padded_with_its_border() -> None:
    product = Box("product", 1, 100, 100, 900, 300)
    found = crop(ad(1000, 400, product), (1080, 1920), [product])
    assert (found.background, found.kept) == ("border", 1)
    left, top, right, bottom = greens(found)
    assert (right - left) / (bottom - top) == pytest.approx(4, rel=0.02)
    assert found.pixels is not None and tuple(found.pixels[5, 5]) == (200, 200, 200)
    assert "the product is 800 by 200" in found.reason and "1080:1920" in found.reason


def test_a_picture_without_a_plain_border_is_padded_with_itself() -> None:
    photo = opened((PHOTOS / "coffee.png").read_bytes())
    found = crop(photo, (1080, 1920), [Box("product", 1, 0, 0, photo.width, photo.height)])
    assert found.background == "blur" and found.kept == 1 and found.pixels is not None
    # The photograph lies in the middle, unchanged.
    middle = found.pixels[(found.pixels.shape[0] - 400) // 2 :][:400]
    assert np.abs(middle.astype(int) - photo.pixels).mean() < 2


def test_what_would_be_mostly_padding_is_refused() -> None:
    product = Box("product", 1, 0, 0, 3000, 200)
    found = crop(ad(3000, 200, product), (1080, 1920), [product])
    assert found.pixels is None and not found.padded and found.kept == 0
    assert "refused" in found.reason and "another format" in found.reason
    drawn = overlay(ad(3000, 200, product), found)
    assert (drawn.reshape(-1, 3) == (235, 60, 50)).all(axis=1).sum() > 1000


def test_the_product_stays_clear_of_what_the_platform_covers() -> None:
    product = Box("product", 1, 300, 650, 500, 850)
    found = crop(ad(900, 1000, product), (1080, 1920), [product], safe=STORIES)
    _, top, _, bottom = greens(found)
    assert found.pixels is not None
    assert top / len(found.pixels) >= 0.14 and bottom / len(found.pixels) <= 0.8 + 2 / len(found.pixels)
    assert found.window.height < 1000, "a smaller crop reaches further down"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), width=st.integers(40, 400), height=st.integers(40, 400))
def test_a_given_product_is_never_cut(data: st.DataObject, width: int, height: int) -> None:
    left, top = data.draw(st.integers(0, width - 10)), data.draw(st.integers(0, height - 10))
    right, bottom = data.draw(st.integers(left + 5, width)), data.draw(st.integers(top + 5, height))
    size = data.draw(st.sampled_from([(100, 100), (80, 100), (191, 100), (90, 160), (400, 100)]))
    safe = data.draw(st.sampled_from([Margins(), STORIES, Margins(0.1, 0.1, 0.1, 0.1)]))
    product = Box("product", 1, left, top, right, bottom)
    picture = Picture(np.zeros((height, width, 3), np.uint8), None, "PNG", width, height, 1, "")
    found = crop(picture, size, [product], safe=safe)
    assert found.window.width / found.window.height == pytest.approx(size[0] / size[1])
    if found.pixels is None:
        assert found.window.outside(width, height) > MOST_PADDING
        return
    assert found.kept == pytest.approx(1) and found.window.within(safe).kept(product) == pytest.approx(1)
    assert found.padded == (found.window.outside(width, height) > 1e-9)
    high, wide = found.pixels.shape[:2]
    assert wide <= size[0] and high <= size[1] and abs(wide / size[0] - high / size[1]) < 1 / min(high, wide)


def test_what_was_found_is_held_and_named() -> None:
    thing = Box("cup", 0.8, 700, 0, 1000, 400)
    found = crop(ad(1000, 400, thing), (400, 400), things=[thing, Box("cat", 0.3, 0, 0, 200, 400)])
    assert found.window == CropWindow(600, 0, 400, 400) and not found.held.given
    assert found.reason == "holds the cup that was found"


HEADLINE, PRICE = Box("Summer in Beijing", 1, 50, 20, 720, 120), Box("Flights from 399", 1, 390, 630, 920, 715)
PERSON = Box("person", 0.9, 700, 200, 900, 500)


@pytest.mark.parametrize(
    ("texts", "things", "product", "padding", "reason"),
    [
        ([HEADLINE], [], [], False, "holds the text that was found"),
        ([HEADLINE, PRICE], [], [], True, "the 2 texts that were found are 870 by 695 together; the largest crop of"),
        ([HEADLINE], [PERSON], [], False, "holds the text and the person that were found"),
        ([PRICE], [Box("cup", 0.9, 400, 40, 500, 200)], [], True, "the text and the cup that were found are 530 by"),
        ([PRICE], [PERSON], [Box("", 1, 0, 200, 300, 500)], False, "holds the product and the text that was found"),
        ([PRICE], [], [Box("", 1, 0, 0, 300, 300)], True, "the product and the text that was found are 920 by 715"),
    ],
)
def test_no_text_is_cut(texts: list[Box], things: list[Box], product: list[Box], padding: bool, reason: str) -> None:
    picture = ad(1080, 721, Box("", 1, 0, 0, 1, 1))
    found = crop(picture, (1200, 628), product, things, texts)
    assert found.padded == padding and reason in found.reason
    for box in [*texts, *(product or things)]:
        assert found.window.kept(box) == pytest.approx(1)


def test_texts_at_both_sides_are_padded_to_a_square_or_refused() -> None:
    sides = [Box("HOT", 1, 10, 200, 200, 300), Box("FRESH", 1, 1800, 200, 1990, 300)]
    found = crop(ad(2000, 500, Box("", 1, 0, 0, 1, 1)), (400, 400), texts=sides)
    assert found.kept == pytest.approx(1) and found.background == "border"
    refused = crop(ad(2000, 500, Box("", 1, 0, 0, 1, 1)), (1080, 1920), texts=sides)
    assert refused.pixels is None and refused.reason.startswith("refused: the 2 texts that were found are 1,980 by 100")
    assert crop(ad(2000, 500, sides[0]), (400, 400), texts=sides[:1]).window.kept(sides[0]) == pytest.approx(1)


def test_a_text_that_no_crop_keeps_safe_is_held_whole() -> None:
    found = crop(ad(900, 1600, HEADLINE), (1080, 1920), texts=[HEADLINE], safe=STORIES)
    assert not found.padded and found.kept == pytest.approx(1)
    assert found.reason == "holds the text that was found, not in the safe zone"


def test_without_product_or_things_the_salient_part_is_kept() -> None:
    blob = Box("", 1, 420, 60, 520, 160)
    found = crop(ad(600, 200, blob), (200, 200))
    assert found.kept is None and found.window.kept(blob) == 1 and found.reason == "keeps what draws the eye"


def test_of_equal_crops_the_middle_one_is_taken() -> None:
    found = crop(written(Image.new("RGB", (500, 100), "white")), (100, 100))
    assert found.window.left == pytest.approx(200)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [("JPEG", "CMYK", {}), ("PNG", "I;16", {}), ("PNG", "RGBA", {}), ("WEBP", "RGB", {"save_all": True})],
)
def test_unusual_pictures_are_cropped_right(kind: str, mode: str, options: dict[str, object]) -> None:
    image = Image.new("L", (300, 100), 255)
    image.paste(0, (200, 0, 300, 100))
    image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    if options:
        options |= {"append_images": [Image.new("RGB", (300, 100))], "duration": 100}
    found = crop(written(image, kind, **options), (100, 100), [Box("product", 1, 190, 0, 290, 100)])
    assert found.pixels is not None and found.pixels.shape == (100, 100, 3)
    assert found.pixels[50, 3].min() > 240 and found.pixels[50, 60].max() < 40


def test_a_picture_that_exif_turns_is_cropped_upright() -> None:
    image, exif = Image.new("RGB", (100, 300), "white"), Image.Exif()
    image.paste(GREEN, (0, 0, 100, 100))
    exif[0x0112] = 6  # to be turned clockwise: the upper end is at the right
    picture = written(image, "JPEG", exif=exif, quality=95)
    assert (picture.width, picture.height) == (300, 100)
    found = crop(picture, (100, 100), [Box("product", 1, 200, 0, 300, 100)])
    assert found.window == CropWindow(200, 0, 100, 100) and greens(found) == (0, 0, 100, 100)


def test_an_overlay_shows_crop_product_and_reason() -> None:
    product = Box("product", 1, 100, 100, 900, 300)
    picture = ad(1000, 400, product)
    found = crop(picture, (1080, 1920), [product], safe=STORIES)
    drawn = overlay(picture, found, STORIES, "meta.stories")
    np.testing.assert_array_equal(drawn, overlay(picture, found, STORIES, "meta.stories"))
    colours = drawn.reshape(-1, 3)
    assert (colours == (60, 220, 90)).all(axis=1).sum() > 1000, "a green frame around the product"
    assert (drawn[-30:] == 0).any(), "a caption"
    assert drawn.shape[0] > 1000

"""Variants are named, differ in small steps, and can be read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage
from PIL import Image, ImageFont

from features.settings import Settings
from features.tables import Tables
from models.image.aesthetics.text_contrast import NEEDED, ratio_of
from models.image.box import Box
from models.image.picture import Picture, opened
from serving.images.choice import add, candidates, creatives
from serving.images.formats import image_format
from serving.images.headline import POSITIONS, NoRoom, calm, set_headline
from serving.images.palette import GRADES, graded
from serving.images.variants import variants
from serving.images.window import Margins

PHOTO = opened((Path(skimage.__file__).parent / "data" / "coffee.png").read_bytes())
SQUARE, STORIES = image_format("meta.square"), image_format("meta.stories")


@pytest.mark.parametrize("name", list(GRADES))
def test_a_grade_is_a_small_step(name: str) -> None:
    from skimage.color import deltaE_ciede2000, rgb2lab

    made = graded(PHOTO.pixels, name)
    difference = deltaE_ciede2000(rgb2lab(PHOTO.pixels), rgb2lab(made))
    assert difference.max() < 12 and (name == "natural") == (difference.mean() < 0.5)
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(graded(ends, name), ends)
    red, blue = (float(made[..., one].mean() - PHOTO.pixels[..., one].mean()) for one in (0, 2))
    assert {"warm": red > 0 > blue, "cool": red < 0 < blue}.get(name, True)


@pytest.mark.parametrize("position", list(POSITIONS))
@pytest.mark.parametrize("shade", [0, 119, 255])
def test_a_headline_has_contrast_to_every_pixel_behind_it(position: str, shade: int) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8)
    pixels = (noise // 2 + shade // 2).astype(np.uint8)
    found = set_headline(pixels, "Fresh every day", position)
    left, top, right, bottom = found.box
    assert (left, top) >= (0, 0) and right <= 400 and bottom <= 300
    ink = np.array({"white": (255.0,) * 3, "black": (0.0,) * 3}[found.ink])
    veil, behind = 255 - ink, pixels[top:bottom, left:right].reshape(-1, 3)
    mixed = behind * (1 - found.scrim) + veil * found.scrim
    worst = min(ratio_of(ink, one) for one in np.unique(mixed.round(), axis=0)[::50])
    assert worst >= NEEDED - 0.01 and found.contrast >= NEEDED
    drawn = (found.pixels[top:bottom, left:right] == ink).all(axis=2)
    assert 0.02 < drawn.mean() < 0.5, "letters are there"
    outside = np.ones((300, 400), bool)
    outside[top:bottom, left:right] = False
    np.testing.assert_array_equal(found.pixels[outside], pixels[outside])


def test_a_calm_background_needs_no_scrim() -> None:
    found = set_headline(np.full((200, 300, 3), 20, np.uint8), "Fresh", "top_left")
    assert (found.ink, found.scrim) == ("white", 0)


def test_a_headline_stands_clear_of_faces_and_covered_margins() -> None:
    pixels, worth = np.full((400, 400, 3), 128, np.uint8), np.zeros((40, 40), np.float32)
    worth[20:] = 1
    face = Box("face", 0.5, 0, 0, 260, 150)
    assert calm(worth, pixels, "Fresh", [face])[0] == "top_right"
    low = set_headline(pixels, "Fresh", "bottom_left", Margins(bottom=0.35))
    assert low.box[3] <= 0.65 * 400


def test_what_cannot_be_set_is_told() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    with pytest.raises(NoRoom, match="does not fit on 200 by 200 pixels"):
        set_headline(pixels, "Unverwechselbarkeitsgarantieversprechen", "top_left")
    with pytest.raises(NoRoom, match="expected 1 to 80 characters, got 0"):
        set_headline(pixels, "", "top_left")
    with pytest.raises(NoRoom, match="the font has no 𓀀; give another font file"):
        set_headline(pixels, "a 𓀀", "top_left")


def test_umlauts_are_drawn() -> None:
    from serving.images.headline import _has, _lettering

    assert all(_has(_lettering(20, None), letter) for letter in "aÄöüß€Ł")
    assert not _has(ImageFont.load_default(20), "Ж")


def test_variants_are_named_and_the_same_each_time() -> None:
    made = list(variants(PHOTO, [SQUARE, STORIES], headline="Fresh"))
    names = [one.name for one in made]
    assert len(names) == len(set(names)) == 2 * len(GRADES) * 2
    assert all(one.name.startswith(f"{one.form.id}.{one.palette}.") for one in made)
    assert {one.changed["text_position"] for one in made} <= set(POSITIONS)
    again = list(variants(PHOTO, [SQUARE, STORIES], headline="Fresh"))
    assert all((one.pixels == other.pixels).all() for one, other in zip(made, again, strict=True))
    plain = list(variants(PHOTO, [SQUARE]))
    assert [one.name for one in plain] == [f"meta.square.{palette}" for palette in GRADES]
    assert plain[1].changed == {"crop": "meta.square", "palette": "warm"}


def test_a_format_that_no_crop_fills_has_no_variants() -> None:
    wide = Picture(np.zeros((60, 900, 3), np.uint8), None, "PNG", 900, 60, 1, "")
    assert list(variants(wide, [STORIES], [Box("product", 1, 0, 0, 900, 60)])) == []


def test_variants_become_creatives_and_candidates(tmp_path: Path) -> None:
    small = Image.fromarray(PHOTO.pixels).resize((150, 100))
    picture = Picture(np.asarray(small), None, "PNG", 150, 100, 1, "")
    made = [one for one in variants(picture, [SQUARE]) if one.palette in ("warm", "cool")]
    pd.DataFrame({"creative_id": ["old", "cup.meta.square.warm"], "image": ["a", "b"]}).to_parquet(
        tmp_path / "creatives.parquet"
    )
    rows = creatives(made, "cup", "spring", "", tmp_path / "images")
    for _ in range(2):
        add(rows, tmp_path)
    told = pd.read_parquet(tmp_path / "creatives.parquet").set_index("creative_id")
    assert list(told.index) == ["old", "cup.meta.square.warm", "cup.meta.square.cool"]
    assert told.loc["cup.meta.square.cool", ["palette", "campaign_id"]].tolist() == ["cool", "spring"]
    assert {"crop", "palette"} <= Tables(tmp_path).attributes("creatives").keys()
    offered = candidates(rows, Settings(home=tmp_path / "home", images=str(tmp_path / "images")))
    warm, cool = offered["cup.meta.square.warm"], offered["cup.meta.square.cool"]
    assert (warm["palette"], cool["palette"], "headline" in warm) == ("warm", "cool", False)
    assert warm["image_warmth"] > cool["image_warmth"]

"""The pre-flight tells all that is wrong at once, each by its name."""

import io
from pathlib import Path
from typing import Any

import pytest
import skimage
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from models.image.box import Box
from models.image.logos import of_brand
from models.image.picture import opened
from serving.images.contents import Contents
from serving.images.formats import ImageFormat, image_format
from serving.images.preflight import (
    CHECKS,
    Check,
    Finding,
    Preflight,
    Subject,
    file_weight,
    preflight,
    ratio,
    sharpness,
)
from serving.images.preflight import size as size_check

PHOTOS = Path(skimage.__file__).parent / "data"
PHOTO = Image.open(PHOTOS / "chelsea.png")
SQUARE, STORIES = image_format("meta.square"), image_format("meta.stories")


def written(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    to = io.BytesIO()
    image.save(to, kind, **options)
    return to.getvalue()


def lettered(size: tuple[int, int], *at: tuple[str, int, int, int]) -> bytes:
    """Black texts on white: what, letters' height in pixels, left and top."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for text, height, left, top in at:
        pen.text((left, top), text, "black", ImageFont.load_default(height))
    return written(image)


def by_name(found: Preflight) -> dict[str, Finding]:
    return {one.check: one for one in found.findings}


def checked(content: bytes, form: ImageFormat = SQUARE, **more: Any) -> dict[str, Finding]:
    return by_name(preflight(content, [form], **more))


def alone(check: Check, content: bytes, form: ImageFormat = SQUARE) -> str:
    """The verdict of one check, without a look at what is in the picture."""
    picture = opened(content)
    (found,) = check(Subject(picture, form, Contents(picture)))
    return found.verdict


@pytest.fixture(scope="module")
def sound() -> Preflight:
    small = SQUARE.model_copy(update={"size": (512, 512), "least": (300, 300)})
    return preflight((PHOTOS / "astronaut.png").read_bytes(), [STORIES, small])


def test_a_sound_picture_passes_every_check(sound: Preflight) -> None:
    assert (sound.format, sound.verdict, sound.wrong) == ("meta.square", "pass", ())
    assert len(sound.findings) == len(CHECKS)
    assert all(one.value and one.limit and not one.do for one in sound.findings)


def test_all_that_is_wrong_is_told_at_once() -> None:
    moving = [Image.new("RGBA", (300, 400), (250, 0, 0, alpha)) for alpha in (0, 90)]
    found = preflight(written(moving[0], "WEBP", save_all=True, append_images=moving[1:]), [SQUARE])
    wrong = {one.check: one for one in found.wrong}
    assert set(wrong) == {"file type", "animation", "size", "ratio", "transparency"}
    assert all(one.do for one in wrong.values())
    verdicts = [one.verdict for one in found.findings]
    assert found.verdict == "fail" and verdicts == sorted(verdicts, key=("fail", "warn", "pass").index)
    assert wrong["size"].value == "is 300 pixels wide and 400 high" and "at least 600 by 600" in wrong["size"].limit
    assert (wrong["file type"].value, wrong["file type"].limit) == ("is WEBP", "JPEG or PNG")


@pytest.mark.parametrize(
    ("size", "form", "verdict"),
    [
        ((1000, 1000), "meta.square", "pass"),
        ((1000, 1025), "meta.square", "pass"),
        ((1000, 1200), "meta.square", "warn"),
        ((1000, 1500), "meta.square", "fail"),
        ((1000, 1025), "google.square", "fail"),
        ((1200, 1200), "meta.stories", "fail"),
    ],
)
def test_ratios_pass_are_taken_or_fail(size: tuple[int, int], form: str, verdict: str) -> None:
    assert alone(ratio, written(Image.new("RGB", size)), image_format(form)) == verdict


@pytest.mark.parametrize(
    ("size", "form", "verdict"),
    [
        ((4400, 4400), "linkedin.square", "fail"),
        ((1200, 1200), "linkedin.square", "pass"),
        ((700, 700), "linkedin.square", "warn"),
        ((350, 350), "linkedin.square", "fail"),
    ],
)
def test_sizes_pass_warn_or_fail(size: tuple[int, int], form: str, verdict: str) -> None:
    assert alone(size_check, written(Image.new("L", size)), image_format(form)) == verdict


def test_a_file_that_is_too_heavy_fails() -> None:
    form = SQUARE.model_copy(update={"megabytes": 0.1})
    assert alone(file_weight, written(PHOTO), form) == "fail"


def test_text_is_measured_and_a_told_share_is_taken() -> None:
    content = lettered((800, 800), *((f"SALE {row}0 PERCENT", 90, 20, 20 + row * 100) for row in range(1, 7)))
    found = checked(content)["text share"]
    assert found.verdict == "warn" and found.limit == "at most 20%"
    assert 30 < float(found.value.split()[-1].rstrip("%")) < 75
    assert checked(content, text_share=0.1)["text share"].value == "text covers 10%"


def test_faint_text_and_a_blurred_picture_are_told_with_their_place() -> None:
    image = PHOTO.resize((900, 600)).filter(ImageFilter.GaussianBlur(8))
    image.paste((215, 225, 235), (0, 0, 900, 200))
    ImageDraw.Draw(image).text((60, 50), "SUMMER SALE", "white", ImageFont.load_default(100))
    found = checked(written(image))
    contrast = found["text contrast"]
    assert contrast.verdict == "warn" and "'SUMMER SALE' has a contrast of 1." in contrast.value
    assert contrast.place is not None and contrast.place.top < 80 < 130 < contrast.place.bottom < 200
    assert alone(sharpness, written(image.crop((0, 220, 900, 600)))) == "warn"


@pytest.mark.parametrize(("left", "verdict"), [(200, "pass"), (420, "warn")])
def test_a_logo_that_is_partly_off_is_told(left: int, verdict: str) -> None:
    mark = of_brand("Spotify")
    image = Image.new("RGB", (600, 400), (240, 230, 210))
    shape = Image.fromarray(mark.shape)
    image.paste((20, 120, 60), (left, 100), shape)
    found = checked(written(image), marks=[mark])["logo"]
    assert found.verdict == verdict, found
    if verdict == "warn":
        assert "the logo of Spotify is cut off at the right" in found.value
        assert found.place is not None and found.place.right > 600


def test_text_below_a_safe_zone_is_named_with_its_place() -> None:
    found = checked(lettered((900, 1600), ("ORDER NOW", 80, 200, 1450), ("FRESH COFFEE", 80, 200, 700)), STORIES)
    finding = found["safe zone"]
    assert finding.verdict == "warn" and "100% of the text 'ORDER NOW'" in finding.value
    assert finding.place is not None and 1400 < finding.place.top < finding.place.bottom < 1600
    assert finding.limit == "14% at the top, 20% at the bottom"
    fine = checked(lettered((900, 1600), ("FRESH COFFEE", 80, 200, 700)), STORIES)
    assert fine["safe zone"].verdict == "pass"


def test_what_is_read_in_padding_is_no_text() -> None:
    content = lettered((900, 1600), ("ORDER NOW", 80, 200, 1450), ("FRESH COFFEE", 80, 200, 700))
    shown = checked(content, STORIES, original=Box("", 1, 0, 300, 900, 1300))
    assert shown["safe zone"].verdict == "pass"
    alone = checked(lettered((900, 1600), ("FRESH COFFEE", 80, 200, 700)), STORIES)["text share"]
    assert shown["text share"] == alone != checked(content, STORIES)["text share"]


def test_a_product_that_the_platform_covers_fails() -> None:
    blank = written(Image.new("RGB", (900, 1600), "white"))
    found = checked(blank, STORIES, product=[Box("cup", 1, 200, 1200, 700, 1600)])["safe zone"]
    assert found.verdict == "fail" and found.value.startswith("80% of the product")
    assert checked(blank, STORIES, product=[Box("cup", 1, 200, 400, 700, 800)])["safe zone"].verdict == "pass"


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"a text called .jpg"])
def test_what_is_no_picture_fails(content: bytes) -> None:
    found = preflight(content, [SQUARE])
    assert found.verdict == "fail" and "is no picture" in found.findings[0].value and found.findings[0].do

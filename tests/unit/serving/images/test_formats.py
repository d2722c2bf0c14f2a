"""Formats of pictures are whole, dated, and of known platforms."""

import pytest

from models.image.picture import KINDS
from serving.images.formats import UnknownImageFormat, image_format, image_formats, nearest, of_platform


def test_each_format_is_sound() -> None:
    for one in image_formats().values():
        assert one.source and one.date, one.id
        assert set(one.files) <= set(KINDS), one.id
        assert all(small <= size for small, size in zip(one.least, one.size, strict=True)), one.id
        assert one.least[0] / one.least[1] == pytest.approx(one.ratio, rel=one.tolerance), one.id
        assert one.safe.left + one.safe.right < 1 and one.safe.top + one.safe.bottom < 1
        if one.narrow is not None and one.wide is not None:
            assert one.narrow <= one.ratio * 1.01 and one.ratio <= one.wide * 1.01, one.id


def test_formats_of_a_platform_are_found_without_logos() -> None:
    assert {one.id for one in of_platform("meta")} == {
        *(f"meta.{name}" for name in ("square", "portrait", "link", "stories", "reels"))
    }
    assert not any("logo" in one.id for one in of_platform("google_ads"))
    with pytest.raises(UnknownImageFormat, match="expected one of google_ads, linkedin, meta, got 'myspace'"):
        of_platform("myspace")
    with pytest.raises(UnknownImageFormat, match=r"got 'meta\.round'"):
        image_format("meta.round")


@pytest.mark.parametrize(("size", "name"), [((1000, 1000), "square"), ((1920, 1080), "link"), ((80, 105), "portrait")])
def test_the_nearest_format_is_of_the_nearest_ratio(size: tuple[int, int], name: str) -> None:
    assert nearest(of_platform("meta"), *size).id == f"meta.{name}"

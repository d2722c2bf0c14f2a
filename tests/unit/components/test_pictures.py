"""Creatives get what their pictures show; a picture that cannot be read stops nothing and is told."""

from pathlib import Path

import pandas as pd
import pytest
import skimage

from components.ingest.step import ingest
from features.settings import Settings
from features.tables import Tables

PHOTOS = Path(skimage.__file__).parent / "data"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "images").mkdir()
    for name in ("coffee.png", "rocket.jpg"):
        (tmp_path / "images" / name).write_bytes((PHOTOS / name).read_bytes())
    (tmp_path / "images" / "text.jpg").write_text("no picture")
    return tmp_path / "source"


def ingested(source: Path, creatives: dict[str, list[str | float | None]]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    pd.DataFrame(creatives).to_csv(source / "creatives.csv", index=False)
    ids = creatives["creative_id"]
    shown = pd.DataFrame({"creative_id": ids, "occurred_at": "2024-01-01", "impressions": 9.0, "clicks": 1.0})
    shown.to_csv(source / "impressions.csv", index=False)
    settings = Settings(home=source.parent / "home", images=str(source.parent / "images"))
    out = source.parent / "tables"
    done = ingest([str(source)], out, settings)
    return pd.read_parquet(Tables(out).path("creatives")).set_index("creative_id"), done.notes


def test_what_pictures_show_becomes_attributes_and_faults_are_told(source: Path) -> None:
    at = (source.parent / "images").as_uri()
    images = [f"{at}/coffee.png", f"{at}/rocket.jpg", f"{at}/coffee.png", None, f"{at}/text.jpg", "file:///etc/passwd"]
    table, notes = ingested(source, {"creative_id": list("abcdef"), "image": images})
    assert table["image_warmth"].round(1).tolist()[:3] == [1.0, 0.1, 1.0]
    assert table["image_theme_0"].notna().tolist() == [True, True, True, False, False, False]
    (note,) = [one for one in notes if "pictures" in one]
    assert note.startswith("creatives: 2 of 4 pictures cannot be read: ")
    assert "text.jpg: picture: expected one of JPEG, PNG" in note


def test_what_the_table_says_itself_is_kept(source: Path) -> None:
    image = f"{(source.parent / 'images').as_uri()}/coffee.png"
    table, _ = ingested(source, {"creative_id": ["a"], "image": [image], "image_warmth": [0.25]})
    assert table["image_warmth"].item() == 0.25
    assert table["image_brightness"].item() > 0.3


def test_creatives_without_pictures_are_as_before(source: Path) -> None:
    table, notes = ingested(source, {"creative_id": ["a"], "headline": ["Fresh malt"]})
    assert not [name for name in table if str(name).startswith("image_")]
    assert not [one for one in notes if "picture" in one]

"""`adloop image analyse`: several files, of which broken ones are told and the others analysed."""

import json

import pytest
from click.testing import CliRunner
from PIL import Image

from pipelines.cli import main
from tests.unit.models.image.drawn import lettered, plain, png


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(main, ["image", "analyse", *map(str, arguments)])


def test_a_broken_file_is_told_and_the_others_are_analysed(run, tmp_path):
    (tmp_path / "good.png").write_bytes(png(lettered(plain("navy", 300, 150), "Hello", (40, 30), 60, "white")))
    (tmp_path / "bad.jpg").write_text("no picture")
    found = run(tmp_path / "bad.jpg", tmp_path / "gone.png", tmp_path / "good.png", "--out", tmp_path / "drawn")
    assert found.exit_code == 1, found.output
    assert "got a text" in found.output
    assert "No such file" in found.output
    assert "'Hello'" in found.output
    drawn = sorted((tmp_path / "drawn").iterdir())
    assert len(drawn) == 6
    assert all(Image.open(file).width >= 1080 for file in drawn)


def test_json_has_an_entry_a_file_and_its_drawings(run, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ad.png").write_bytes(png(plain("teal", 64, 64)))
    found = run(tmp_path / "one" / "ad.png", tmp_path / "two" / "ad.png", "--json", "--out", tmp_path / "drawn")
    assert found.exit_code == 0, found.output
    first, second = json.loads(found.stdout)
    assert first["file"].endswith("one/ad.png")
    assert first["width"] == 64
    assert len({*first["drawings"], *second["drawings"]}) == 12

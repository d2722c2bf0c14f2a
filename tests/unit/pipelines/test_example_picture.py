"""The example of the report: drawn once, read back, and shown within the page."""

import io

from PIL import Image

from features.settings import Settings
from pipelines.example_picture import FORMATS, SHOWN, draw_example, drawings
from pipelines.report.page import inline, render
from pipelines.report.records import Report


def test_an_example_is_drawn_and_shown(tmp_path):
    settings = Settings(home=tmp_path)
    assert drawings(settings) == ()
    draw_example(settings)
    found = drawings(settings)
    assert [one.name for one in found] == [*SHOWN, *FORMATS]
    for one in found:
        with Image.open(io.BytesIO(one.content)) as image:
            assert image.width >= 640
    page = render(Report((), drawings=found))
    assert page.count('src="data:image/jpeg;base64,') == len(found)
    assert inline(found[0]) in page
    assert 'id="pictures"' not in render(Report(()))

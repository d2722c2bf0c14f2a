"""How long an analysis of a picture takes, and how much memory the largest pictures need."""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from features.settings import Settings
from models.image.logos import of_brand
from models.image.picture import Picture, opened
from models.image.traits import LONGEST
from serving.images.analysis import analyse
from tests.benchmarks.rows import spread
from tests.benchmarks.vision_logo import BRANDS

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
LINES = ("Fresh every morning", "Now 20% off, only today", "example.com/fresh", "Terms apply. While stocks last.")
#: Times that each picture is analysed.
REPEATS = 4
#: Megabytes that an analysis of 100 megapixels may take at most.
MOST_MB = 1024
_CHILD = """
import sys
from pathlib import Path
from models.image.picture import opened
from models.image.traits import LONGEST
from serving.images.analysis import analyse
analyse(opened(Path(sys.argv[1]).read_bytes(), LONGEST))
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Seconds of one picture of 1080 by 1080 pixels with four lines of text, one after the other; pictures a second of
    all cores; and the peak memory of a fresh process that analyses 100 megapixels."""
    pictures, marks = [_ad(name) for name in PHOTOS], [of_brand(brand) for brand in BRANDS]
    for picture in pictures:
        analyse(picture, marks)
    said = f"seconds of one core, warm, {REPEATS} times {len(PHOTOS)} photographs with {len(LINES)} lines of text"
    middle, low, high = spread([_seconds(picture) for _ in range(REPEATS) for picture in pictures])
    yield {"name": "vision.analyse.seconds", "value": middle, "low": low, "high": high, "goal": "<= 1", "unit": said}
    middle, low, high = spread([_seconds(picture, marks) for _ in range(REPEATS) for picture in pictures])
    unit = f"with the logos of {len(marks)} brands, {said}"
    yield {"name": "vision.analyse.seconds.with_logos", "value": middle, "low": low, "high": high, "unit": unit}
    cores = os.cpu_count() or 1
    begun = perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(analyse, pictures * REPEATS))
    rate = len(pictures) * REPEATS / (perf_counter() - begun)
    yield {"name": "vision.analyse.images_per_s", "value": rate, "unit": f"{cores} threads of one process"}
    peaks = {kind: _peak_mb(kind) for kind in ("JPEG", "PNG")}
    worst = max(peaks, key=lambda kind: peaks[kind])
    unit = f"100 megapixels, the larger of {', '.join(f'{kind} {peak:.0f}' for kind, peak in peaks.items())}"
    yield {"name": "vision.analyse.peak_rss_mb", "value": peaks[worst], "goal": f"<= {MOST_MB}", "unit": unit}


def _ad(name: str) -> Picture:
    """A photograph of 1080 by 1080 pixels with text on it."""
    import skimage

    with Image.open(Path(skimage.__file__).parent / "data" / name) as photo:
        image = photo.convert("RGB").resize((1080, 1080), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for place, line in enumerate(LINES):
        pen.text(
            (60, 60 + 250 * place), line, fill="white", stroke_width=2, stroke_fill="black", font=_font(80 - 18 * place)
        )
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return opened(file.getvalue(), LONGEST)


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _seconds(picture: Picture, marks: Any = ()) -> float:
    begun = process_time()  # of one core: what else the machine does is no part of it
    analyse(picture, marks)
    return process_time() - begun


def _peak_mb(kind: str) -> float:
    """Peak memory of a fresh process that analyses a file of 10,000 by 10,000 pixels."""
    import skimage

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large"
        with Image.open(Path(skimage.__file__).parent / "data" / "coffee.png") as photo:
            large = np.asarray(photo.convert("RGB").resize((500, 500))).repeat(20, axis=0).repeat(20, axis=1)
        Image.fromarray(large).save(file, kind)
        told = subprocess.run([sys.executable, "-c", _CHILD, file], capture_output=True, text=True, check=True)
    return int(told.stdout.split()[-1]) / 1024

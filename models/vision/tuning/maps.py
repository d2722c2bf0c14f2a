"""What the tuned blocks read, for each picture in several variants, in a file: pictures are opened one at a time, and
batches are read from the disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.image.backbone import batched
from models.image.efficientnet import BLOCKS, trunk
from models.image.picture import Pixels
from models.image.weights import session
from models.vision.params import VisionParams
from models.vision.reading import pictures
from models.vision.tuning.filled import Filled, filled

#: Least share of a picture that a variant shows, and how much wider or narrower than the picture it may be.
LEAST, ASPECT = 0.5, 4 / 3

Maps = Filled


def written(uris: Sequence[str], params: VisionParams, folder: Path) -> Maps:
    """The maps (pictures, variants, channels, height, width), on the disk; goes on where it was killed."""
    network = session(trunk(len(BLOCKS) - params.blocks))
    blank = np.zeros((params.side, params.side, 3), np.uint8)
    shape = (len(uris), params.variants, *network.run(None, {"picture": batched(blank)})[0].shape[1:])

    def rows(start: int) -> Iterator[npt.NDArray[np.float32]]:
        for place, picture in enumerate(pictures(uris[start:]), start):
            if picture is None:
                raise ValueError("uri: expected the URI of a picture, got none")
            varied = variants(picture.pixels, params, place)
            yield np.stack([network.run(None, {"picture": batched(pixels)})[0][0] for pixels in varied])

    return filled(folder / "maps.f16", shape, rows)


def variants(pixels: Pixels, params: VisionParams, place: int) -> Iterator[Pixels]:
    """The whole picture, then parts of it, mirrored or not, as squares; `place` seeds which."""
    from PIL import Image

    image, rng = Image.fromarray(pixels), np.random.default_rng([params.seed, place])
    for number in range(params.variants):
        box = _part(image.width, image.height, rng) if number else None
        square = image.resize((params.side, params.side), Image.Resampling.BICUBIC, box=box)
        mirrored = number > 0 and rng.random() < 0.5
        yield np.asarray(square.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else square)


def _part(width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    area, aspect = rng.uniform(LEAST, 1), np.exp(rng.uniform(-1, 1) * np.log(ASPECT))
    across, down = (min(1.0, float(np.sqrt(area * wide))) for wide in (aspect, 1 / aspect))
    left, top = rng.uniform(0, 1 - across), rng.uniform(0, 1 - down)
    return left * width, top * height, (left + across) * width, (top + down) * height

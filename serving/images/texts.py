"""Which of the texts that were read count: reading sees letters in wheels, leaves and blurred backgrounds too."""

from collections.abc import Iterable
from math import dist

from models.image.box import Box
from models.image.lettering import TextLine
from models.image.picture import Picture

#: Confidence and letters from which a text is held. Fewer letters are no text below `SURE_OF_FEW`: the stripes of a
#: flag are read as two letters with .80, true ones with .99.
SURE, LETTERS, SURE_OF_FEW = 0.8, 3, 0.9
#: Height of a line that is held, with the room that its box leaves around letters, as a share of the picture's shorter
#: side; watermarks are lower.
LEAST_HEIGHT = 0.04


def box_of(line: TextLine) -> Box:
    """The upright box around a line of text."""
    across, down = zip(*line.corners, strict=True)
    return Box(line.text, line.confidence, min(across), min(down), max(across), max(down))


def uncut(lines: Iterable[TextLine], picture: Picture) -> list[Box]:
    """The texts that no crop may cut: read with confidence, of some letters, and not tiny."""
    least = LEAST_HEIGHT * min(picture.width, picture.height)
    return [
        box_of(line)
        for line in lines
        if line.confidence >= SURE and _letters(line) >= LETTERS and dist(line.corners[0], line.corners[-1]) >= least
    ]


def counted(lines: Iterable[TextLine], original: Box | None = None) -> list[TextLine]:
    """The lines without one or two unsure letters, and without what was read beside the original.

    Args:
        original: the part that is the picture itself, where the rest is padding.
    """
    sure = [line for line in lines if line.confidence >= SURE_OF_FEW or _letters(line) >= LETTERS]
    return [line for line in sure if original is None or lies_in(box_of(line), original)]


def lies_in(box: Box, part: Box) -> bool:
    """Whether most of a box lies in a part of the picture."""
    return box.moved(-part.left, -part.top).clip(part.width, part.height).area > box.area / 2


def _letters(line: TextLine) -> int:
    return sum(letter.isalnum() for letter in line.text)

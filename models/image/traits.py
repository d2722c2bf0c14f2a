"""What a picture shows, all that is found in it once; and the same as numbers that models read.

The analysis of a picture and the features of a creative are of this one function.
"""

from dataclasses import dataclass

import numpy as np

from models.image.aesthetics.clutter import clutter
from models.image.aesthetics.colour import Colours, colours
from models.image.aesthetics.composition import Composition, composition
from models.image.aesthetics.quality import Quality, quality
from models.image.aesthetics.text_contrast import TextContrast, text_contrast
from models.image.backbone import Array, embed
from models.image.box import Box
from models.image.detector import detect
from models.image.faces import faces
from models.image.lettering import Lettering, lettering
from models.image.picture import Picture
from models.image.themes import themes

#: Longer side at which pictures are looked at: enough for small text, and a second's work.
LONGEST = 1080
#: Begin of the names of traits among the attributes of creatives.
ATTRIBUTE = "image_"


@dataclass(frozen=True)
class Traits:
    """What a picture shows.

    Attributes:
        things: of COCO's 80 classes.
        contrasts: of each line of text.
        embedding: (1280,), of the backbone.
    """

    composition: Composition
    colours: Colours
    quality: Quality
    clutter: float
    things: tuple[Box, ...]
    faces: tuple[Box, ...]
    lettering: Lettering
    contrasts: tuple[TextContrast, ...]
    embedding: Array

    def numbers(self) -> dict[str, float]:
        """The traits as numbers by name, the same names for every picture; contrast of text is 21 without text."""
        hues, made = self.colours, self.composition
        main = hues.palette[0] if hues.palette else None
        return {
            "brightness": hues.brightness,
            "contrast": hues.contrast,
            "colourfulness": hues.colourfulness,
            "warmth": hues.warmth,
            "harmony": hues.harmony,
            "main_colour_share": main.share if main else 1.0,
            "thirds": made.thirds,
            "balance": made.balance,
            "symmetry": made.symmetry,
            "space": made.space,
            "sharpness": self.quality.sharpness,
            "noise": self.quality.noise,
            "clutter": self.clutter,
            "things": float(len(self.things)),
            "faces": float(len(self.faces)),
            "text_share": self.lettering.share,
            "text_contrast": min((one.ratio for one in self.contrasts), default=21.0),
            **{f"theme_{place}": float(value) for place, value in enumerate(themes(self.embedding[None])[0])},
        }


def traits(picture: Picture) -> Traits:
    """Look at a picture, best opened with `LONGEST`; it takes about half a second of one core."""
    things = tuple(detect(picture))
    text = lettering(picture)
    return Traits(
        composition=composition(picture),
        colours=colours(picture),
        quality=quality(picture),
        clutter=clutter(picture),
        things=things,
        faces=faces(picture, [one for one in things if one.label == "person"]),
        lettering=text,
        contrasts=tuple(text_contrast(picture, line) for line in text.lines),
        embedding=np.asarray(embed([picture])[0]),
    )

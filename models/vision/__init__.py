"""Vision: labels and ratings of pictures, and where things are in them, learnt on a packaged backbone and detector."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from models.evaluation import gates
from models.family import Family
from models.image import backbone
from models.image.efficientnet import SIZE
from models.inputs import InvalidRows, Matrix
from models.vision.baselines import BASELINES
from models.vision.boxes.drawn import BOXES
from models.vision.examples import LABEL, RATING, image_examples
from models.vision.fit import fit, frozen_linear
from models.vision.metrics import METRICS
from models.vision.model import PictureModel
from models.vision.params import VisionParams
from models.vision.reading import URI, picture_of
from models.vision.verdicts import calibrated, pictures_apart


def _embed(uris: "pd.Series[Any]") -> Matrix:
    """The embeddings of what is behind these URIs still: since they were logged, pictures may have gone."""
    found, settings = [np.empty((0, SIZE))], Settings()
    for uri in uris:
        with suppress(InvalidRows):
            found.append(backbone.embed([picture_of(uri, settings)]).astype(float))
    return np.vstack(found)


def _first(params: VisionParams) -> VisionParams:
    """A frozen backbone and an eighth of the pictures: they have no dates, so that there is no earlier model."""
    return params.model_copy(update={"epochs": 0, "max_examples": -(-params.max_examples // 8)})


FAMILY = Family(
    name="vision",
    entity=None,
    feature_service=None,
    reads="images",
    label=(LABEL, RATING, BOXES),
    examples=image_examples,
    params=VisionParams,
    fit=fit,
    load=PictureModel.load,
    baselines={**BASELINES, "frozen_linear": frozen_linear},
    metrics=METRICS,
    gates=(
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        calibrated,
        pictures_apart,
    ),
    first=_first,
    together=1,
    chosen=lambda model: model.learnt,
    context=(URI,),
    kinds={URI: "uri", BOXES: "text"},
    embed={URI: _embed},
    intended_use=(
        "Labels pictures and rates them as the given examples were: what a product is, how good a picture is "
        "technically, or any label and rating of your own, each label with a calibrated probability; and finds things "
        "of your own in them, from boxes that people drew. Not for judging "
        "or recognising people. A rating says what the raters of the examples would say, and not how an ad will do."
    ),
    limits=(
        "The backbone was trained on ImageNet: what photographs of things do not teach (drawings, text, style) is "
        "learnt less well. A picture is read at the size that training sets, and at its own scale in its most detailed "
        "part only. Confidence is calibrated on pictures like those learnt from. Without labels to learn from the "
        "label is empty; without ratings the rating is 0 and `rated` says so. Things are found among the hundred "
        "likeliest places that a detector trained on COCO sees; the scores of boxes are no calibrated probabilities."
    ),
)

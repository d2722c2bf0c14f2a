"""Ratings come from the released model, on the scale of the raters, and only where ratings were learnt."""

import numpy as np

from features.settings import Settings
from models.vision.features import FROZEN
from models.vision.model import PictureModel, RatingHead
from models.vision.ratings import RidgeHead
from serving.images.rating import PictureRating, ReleasedRater, rater_of
from tests.unit.models.image.drawn import plain, png


def test_a_model_without_ratings_rates_nothing():
    assert rater_of(PictureModel(None, None, 64)) is None


def test_without_a_release_nothing_is_rated(tmp_path):
    assert ReleasedRater(Settings(home=tmp_path)).rating(png(plain("teal"))) is None


def test_the_model_answers_on_the_scale_of_its_raters():
    head = RidgeHead(np.zeros(FROZEN, np.float32), 42.0, 1.0, 10.0)
    rate = rater_of(PictureModel(None, RatingHead(head, 5.0), 64))
    assert rate is not None
    # What is learnt never says more than any rater did.
    assert rate(png(plain("teal", 64, 64))) == PictureRating(10.0, 1.0, 10.0)

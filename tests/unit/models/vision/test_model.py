"""The model learns what it is told: labels, ratings or both; it says what it was not told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from models.evaluation.gates import Evidence
from models.inputs import InvalidRows
from models.vision import FAMILY
from models.vision.baselines import nearest_prototype
from models.vision.examples import examples_of
from models.vision.fit import fit
from models.vision.metrics import METRICS, accuracy, spearman
from models.vision.model import PictureModel
from models.vision.params import VisionParams
from models.vision.verdicts import calibrated, pictures_apart

PARAMS = VisionParams(seed=1, side=96)
TRUTH = ["label", "rating", "boxes"]

Parts = dict[str, pd.DataFrame]


@pytest.fixture(scope="session")
def parts(images: pd.DataFrame, pictures_home: Path) -> Parts:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADLOOP_HOME", str(pictures_home))
        examples = examples_of(images, PARAMS)
    return {split: rows.reset_index(drop=True) for split, rows in examples.groupby("split")}


def learnt(parts: Parts, folder: Path, **told: object) -> PictureModel:
    return fit(parts["train"].assign(**told), parts["valid"].assign(**told), PARAMS, folder)


def test_labels_and_ratings_are_learnt(parts: Parts, tmp_path: Path) -> None:
    model = learnt(parts, tmp_path)
    answers = model.predict(parts["test"])
    assert accuracy().measure(parts["test"][TRUTH], answers) == 1
    assert spearman().measure(parts["test"][TRUTH], answers) > 0.7
    assert answers["confidence"].between(0.5, 1).all() and answers["rated"].all()
    assert answers["rating"].between(*parts["train"]["rating"].agg(["min", "max"])).all()
    assert model.learnt == "a frozen backbone; labels were learnt; ratings were learnt"


def test_without_ratings_it_says_so(parts: Parts, tmp_path: Path) -> None:
    model = learnt(parts, tmp_path, rating=np.nan)
    answers = model.predict(parts["test"])
    assert not answers["rated"].any() and (answers["rating"] == 0).all()
    assert FAMILY.chosen is not None and "no ratings were given" in FAMILY.chosen(model)
    assert answers["label"].equals(learnt(parts, tmp_path / "both").predict(parts["test"])["label"])


def test_without_labels_it_says_so(parts: Parts, tmp_path: Path) -> None:
    model = learnt(parts, tmp_path, label=None)
    model.save(tmp_path / "saved")
    answers = PictureModel.load(tmp_path / "saved").predict(parts["test"])
    assert (answers["label"] == "").all() and (answers["confidence"] == 0).all()
    truth = parts["test"][TRUTH].assign(label=None)
    assert spearman().measure(truth, answers) > 0.7
    naive = nearest_prototype(parts["train"].assign(label=None), parts["valid"], PARAMS, tmp_path)
    said = {"naive": naive.predict(parts["test"])}
    evidence = Evidence(parts["test"], truth, answers, said, None, parts["train"], METRICS[0], (), 1)
    assert calibrated(evidence).passed


def test_without_either_it_is_refused(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected labels, 10 ratings, or boxes, got none of them"):
        learnt(parts, tmp_path, label=None, rating=np.nan)
    with pytest.raises(ValueError, match="expected at least two different ones, got lying"):
        learnt(parts, tmp_path, label="lying")


def test_what_is_no_picture_is_named(parts: Parts, tmp_path: Path, pictures_home: Path) -> None:
    model = learnt(parts, tmp_path)
    (pictures_home / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    private = {"file:///etc/hostname": "ADLOOP_IMAGES", (pictures_home / "a.svg").as_uri(): "SVG"}
    for uri, reason in {**private, "https://10.0.0.1/a.png": "private", "ftp://a/b": "https"}.items():
        with pytest.raises(InvalidRows, match=reason) as fault:
            model.predict(pd.DataFrame({"uri": [uri]}))
        assert fault.value.field == "uri"


def test_drift_is_of_pictures_that_are_there_still(parts: Parts) -> None:
    uris = parts["test"]["uri"].head(2)
    gone = pd.Series([uris.iloc[0], "file:///gone.png", uris.iloc[1]])
    np.testing.assert_array_equal(FAMILY.embed["uri"](gone), FAMILY.embed["uri"](uris))
    assert FAMILY.embed["uri"](gone.iloc[[1]]).shape == (0, 1280)


def test_pictures_of_any_kind_are_answered(parts: Parts, tmp_path: Path, pictures_home: Path) -> None:
    model, folder = learnt(parts, tmp_path), pictures_home / "kinds"
    folder.mkdir(exist_ok=True)
    Image.new("L", (1, 1), 9).save(folder / "dot.png")
    Image.new("CMYK", (700, 40)).save(folder / "banner.jpg")
    Image.new("RGBA", (600, 500), (0, 0, 0, 0)).save(folder / "clear.webp")
    uris = [file.as_uri() for file in sorted(folder.iterdir())]
    answers = model.predict(pd.DataFrame({"uri": [*uris, None, uris[0]]}))
    assert np.isfinite(answers[["confidence", "rating"]].to_numpy()).all()
    assert answers.iloc[-1].equals(answers.iloc[0].rename(4))
    every = pd.concat([parts["train"], parts["valid"]])
    assert answers["rating"].iloc[3] == pytest.approx(every["rating"].mean(), abs=1e-4)


def test_a_copy_among_those_learnt_from_is_refused(parts: Parts) -> None:
    test = parts["test"][["uri"]]
    plain = pd.DataFrame({"label": "lying", "confidence": 0.5, "rating": 3.0}, index=test.index)
    for train, passed in ((parts["train"], True), (pd.concat([parts["train"], parts["test"].head(2)]), False)):
        evidence = Evidence(test, parts["test"][TRUTH], plain, {"a": plain}, None, train, METRICS[0], (), 1)
        verdict = pictures_apart(evidence)
        assert verdict.passed is passed and verdict.figures["shared"] == (0 if passed else 2)

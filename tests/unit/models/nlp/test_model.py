"""What a classifier says of texts, brand by brand, and of what is hardly a text at all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.sources import rated_texts, shop_intents
from models.inputs import InvalidRows
from models.nlp.examples import examples_of
from models.nlp.fit import fit
from models.nlp.model import TextClassifier
from models.nlp.params import NlpParams

PARAMS = NlpParams(seed=1, epochs=0)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    """Learnt from the remarks on products, each alone."""
    remarks = rated_texts.remarks()
    alone = remarks[~remarks["text"].str.contains(",")].assign(task="sentiment", split=np.nan)
    examples = examples_of(alone, PARAMS)
    train, valid = (examples[examples["split"] == part].reset_index(drop=True) for part in ("train", "valid"))
    return fit(train, valid, PARAMS, tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def ask(classifier: TextClassifier) -> Callable[..., pd.DataFrame]:
    def answers(*texts: object, task: object = "sentiment", aspects: list[str] | None = None) -> pd.DataFrame:
        about = pd.Series(aspects or [None] * len(texts), dtype=object)
        return classifier.predict(pd.DataFrame({"text": list(texts), "task": task, "aspect": about}))

    return answers


def test_each_brand_of_a_text_has_its_own_sentiment(ask: Callable[..., pd.DataFrame]) -> None:
    said = "Nike fits, Adidas fell apart"
    found = ask(said, said, aspects=["Nike", "Adidas"])
    assert found["label"].tolist() == ["positive", "negative"]
    assert found["score"].iloc[0] > 0 > found["score"].iloc[1]


def test_a_denied_fault_is_praise(ask: Callable[..., pd.DataFrame]) -> None:
    assert ask("not bad at all")["label"].tolist() == ["positive"]


@pytest.mark.parametrize("text", ["", "  \n", None, "\x00\x1b\x07", "?!...", "\u200b\u202e"])
def test_what_has_no_word_is_out_of_scope(text: str | None, ask: Callable[..., pd.DataFrame]) -> None:
    found = ask(text)
    assert found["in_scope"].tolist() == [0.0]
    assert found["label"].isin(["positive", "negative", "neutral"]).all()


@pytest.mark.parametrize(
    "text", ["word " * 200_000, "\u05de\u05e6\u05d5\u05d9\u05df \u05de\u05d0\u05d5\u05d3", "\U0001f600\U0001f600"]
)
def test_odd_texts_are_answered(text: str, ask: Callable[..., pd.DataFrame]) -> None:
    found = ask(text)
    assert found["in_scope"].tolist() == [1.0]
    assert np.isfinite(found[["confidence", "score"]].to_numpy()).all()


def test_a_task_that_was_not_learnt_has_no_label(ask: Callable[..., pd.DataFrame]) -> None:
    assert ask("good", task="weather")[["label", "confidence", "in_scope"]].iloc[0].tolist() == ["", 0.0, 0.0]


def test_a_number_is_no_text(ask: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InvalidRows, match="'text'"):
        ask(5)


def test_of_few_texts_those_that_were_tuned_on_are_learnt_from_too(tmp_path: Path) -> None:
    examples = examples_of(shop_intents.examples().query("language == 'en'"), PARAMS)
    train, valid = (examples[examples["split"] == part].reset_index(drop=True) for part in ("train", "valid"))
    scope = fit(train, valid, PARAMS, tmp_path).tasks["intent"].scope
    known = pd.concat([train, valid]).query("label != 'oos'")
    assert scope is not None and len(scope.known) == len(known) > len(train.query("label != 'oos'"))


def test_it_is_read_as_it_was_saved(classifier: TextClassifier, tmp_path: Path) -> None:
    classifier.save(tmp_path)
    rows = pd.DataFrame({"text": ["it broke", "it lasts"], "task": None, "aspect": None})
    pd.testing.assert_frame_equal(TextClassifier.load(tmp_path).predict(rows), classifier.predict(rows))

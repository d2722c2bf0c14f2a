"""NLP: sentiment, emotion, intent and any other label of short texts, and what is out of scope."""

import pandas as pd

from models.evaluation import gates
from models.family import Breakdown, Family
from models.nlp.baselines import BASELINES
from models.nlp.examples import CONTEXT, LABEL, text_examples
from models.nlp.fit import fit, frozen_encoder
from models.nlp.metrics import METRICS
from models.nlp.model import TextClassifier
from models.nlp.params import NlpParams
from models.nlp.verdicts import calibrated, texts_apart
from models.text.embedding import embed


def _as_asked(test: pd.DataFrame, learnt: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"": test}


def _first(params: NlpParams) -> NlpParams:
    """A quarter of the texts and the frozen encoder: texts have no dates, so that there is no earlier model."""
    return params.model_copy(update={"epochs": 0, "max_examples": -(-params.max_examples // 4)})


FAMILY = Family(
    name="nlp",
    entity=None,
    feature_service=None,
    reads="texts",
    label=(LABEL,),
    examples=text_examples,
    params=NlpParams,
    fit=fit,
    load=TextClassifier.load,
    baselines={**BASELINES, "frozen_encoder": frozen_encoder},
    metrics=METRICS,
    gates=(
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        calibrated,
        texts_apart,
    ),
    first=_first,
    together=1,
    context=CONTEXT,
    kinds={"text": "text", "task": "category", "aspect": "text"},
    embed={name: lambda column: embed(column.tolist()).astype(float) for name in ("text", "aspect")},
    breakdown=Breakdown(("task",), _as_asked, METRICS),
    intended_use=(
        "Labels short texts: sentiment of posts and reviews, emotion, the intent of a message to an assistant, or any "
        "label of your own, each with a calibrated probability and the probability that the text belongs to any known "
        "label. Not for judging people: a label is about a text, and not about who wrote it."
    ),
    limits=(
        "The encoder was trained on English: other languages are labelled as far as the examples show them. The first "
        "128 tokens of a text are read. Irony is mostly read literally. Confidence is calibrated on texts like those "
        "learnt from. Whether a text is in scope is told for tasks with six labels or more."
    ),
)

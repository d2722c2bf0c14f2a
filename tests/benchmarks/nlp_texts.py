"""The texts that classifiers are measured on, as canonical tables."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from models.nlp import FAMILY
from models.nlp.baselines import PlainClassifier
from models.nlp.examples import LABEL, OUT_OF_SCOPE, examples_of
from models.nlp.model import TextClassifier
from models.nlp.params import NlpParams

DATA = Path(__file__).parents[2].parent / "shared/data"
BANKING = DATA / "banking77"
EMOTION = DATA / "tweeteval" / "emotion"
EMOTIONS = ("anger", "joy", "optimism", "sadness")

Classifier = TextClassifier | PlainClassifier


def banking() -> pd.DataFrame:
    """Banking77 (Casanueva et al., 2020): questions to a bank and their intents, with its own split."""
    parts = {part: pd.read_csv(BANKING / f"{part}.csv") for part in ("train", "test")}
    rows = pd.concat([rows.assign(split=part) for part, rows in parts.items()], ignore_index=True)
    return rows.rename(columns={"category": LABEL}).assign(task="intent")


def emotions() -> pd.DataFrame:
    """TweetEval's emotions (Barbieri et al., 2020), with its own split."""
    rows = []
    for part, own in (("train", "train"), ("val", "valid"), ("test", "test")):
        texts = pd.read_csv(EMOTION / f"{part}_text.txt.gz", sep="\x01", header=None, quoting=3)[0]
        codes = pd.read_csv(EMOTION / f"{part}_labels.txt.gz", header=None)[0]
        rows.append(pd.DataFrame({"text": texts, LABEL: [EMOTIONS[code] for code in codes], "split": own}))
    return pd.concat(rows, ignore_index=True).assign(task="emotion")


def few(rows: pd.DataFrame, shots: int, seed: int) -> pd.DataFrame:
    """With so many texts of each label to learn from."""
    learnt = rows[rows["split"] == "train"].sample(frac=1, random_state=seed)
    return pd.concat([learnt.groupby(LABEL).head(shots), rows[rows["split"] == "test"]], ignore_index=True)


def left_out(rows: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """With these labels out of scope: none of their texts is learnt from."""
    away = rows[LABEL].isin(labels)
    kept = rows[~away | (rows["split"] == "test")]
    return kept.assign(**{LABEL: kept[LABEL].mask(away, OUT_OF_SCOPE)}).reset_index(drop=True)


def parts(rows: pd.DataFrame, params: NlpParams) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Examples to learn from and to tune on, drawn from `train` alone where there is no `valid`, and all test rows."""
    held = rows[rows["split"] == "test"].reset_index(drop=True).reindex(columns=[*FAMILY.context, LABEL])
    examples = examples_of(rows[rows["split"] != "test"], params)
    tuning = examples["split"] == "valid"
    return examples[~tuning].reset_index(drop=True), examples[tuning].reset_index(drop=True), held


def answered(model: Classifier, test: pd.DataFrame) -> pd.DataFrame:
    """The answers to held-out texts."""
    return model.predict(test[list(FAMILY.context)])


def digest(*files: Path) -> str:
    """SHA-256 of files' contents."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

"""Examples of the nlp family: texts with their labels, apart by what they say."""

import hashlib

import pandas as pd

from features.tables import SPECS, Tables
from models.nlp.cleaning import key
from models.nlp.params import NlpParams

#: The task of texts that name none.
TASK = "label"
LABEL = "label"
#: The label of texts that are out of a task's scope: never learnt as a label.
OUT_OF_SCOPE = "oos"
CONTEXT = ("text", "task", "aspect")
#: Percent of the texts that are tested on and tuned on, where the table tells no split.
TEST, VALID = 20, 10


def text_examples(tables: Tables, params: NlpParams, as_of: str | None, cutoff: str | None) -> pd.DataFrame:
    """One row a text and task: `split`, `text`, `task`, `aspect`, `label` and `score`.

    Texts that differ in punctuation only are one example, with the most frequent of their labels. Their split is the
    table's, else drawn by what they say, so that no held-out text is among those learnt from.
    """
    with tables.connect() as db:
        return examples_of(db.execute(tables.whole("texts")).df(), params)


def examples_of(told: pd.DataFrame, params: NlpParams) -> pd.DataFrame:
    """Examples of the rows of a table `texts`."""
    told = told.reindex(columns=list(SPECS["texts"]))
    told = told.assign(task=told["task"].fillna(TASK), key=told["text"].map(key))
    told["draw"] = [_draw(text, params.seed) for text in told["key"]]
    about = told["aspect"].fillna("")
    told["votes"] = told.groupby([told["task"], about, told["key"], told["label"]])["text"].transform("size")
    told = told.sort_values(["task", "draw", "key", "votes", "label"], ascending=[True, True, True, False, True])
    one = told.groupby([told["task"], about.loc[told.index], told["key"]], sort=False).head(1)
    some = one.groupby([one["task"], one["aspect"].notna()], sort=False).head(params.max_examples)
    split = pd.concat([_completed(rows) for _, rows in some.groupby("task")])
    rows = some.assign(split=split, aspect=some["aspect"].astype(object), score=some["score"].astype(float))
    return rows[["split", *CONTEXT, LABEL, "score"]].reset_index(drop=True)


def _completed(rows: pd.DataFrame) -> "pd.Series[str]":
    """The split of each text of a task: the table's where it tells one; a part that it lacks is drawn from `train`."""
    drawn = rows["draw"].map(_drawn)
    split = rows["split"].fillna(drawn)
    for part in ("test", "valid"):
        if part not in set(split):
            split = split.mask((split == "train") & (drawn == part), part)
    return split


def _draw(text: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {text}".encode()).digest()[:7])


def _drawn(draw: int) -> str:
    place = draw % 100
    return "test" if place < TEST else "valid" if place < TEST + VALID else "train"

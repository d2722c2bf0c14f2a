"""Examples of texts: one a text, apart by what they say."""

from pathlib import Path

import pandas as pd

from features.tables import Tables
from models.nlp.examples import text_examples
from models.nlp.params import NlpParams

PARAMS = NlpParams(seed=1)


def examples(folder: Path, rows: pd.DataFrame, params: NlpParams = PARAMS) -> pd.DataFrame:
    rows.to_parquet(folder / "texts.parquet", index=False)
    return text_examples(Tables(folder), params, None, None)


def test_texts_that_say_the_same_are_one_with_the_most_frequent_label(tmp_path: Path) -> None:
    said = ["Good!", "good", "GOOD?", "bad"]
    found = examples(tmp_path, pd.DataFrame({"text": said, "label": ["b", "a", "b", "a"]}))
    assert sorted(found["label"]) == ["a", "b"]
    assert found.loc[found["text"].str.lower().str.startswith("good"), "label"].tolist() == ["b"]
    assert set(found["task"]) == {"label"}


def test_a_split_is_drawn_from_the_text_alone(tmp_path: Path) -> None:
    rows = pd.DataFrame({"text": [f"text number {place}" for place in range(500)], "label": "a"})
    found = examples(tmp_path, rows)
    again = examples(tmp_path, rows.iloc[::-1])
    shares = found["split"].value_counts(normalize=True)
    assert 0.6 < shares["train"] < 0.8 and 0.1 < shares["test"] < 0.3 and 0.05 < shares["valid"] < 0.15
    assert dict(zip(found["text"], found["split"], strict=True)) == dict(
        zip(again["text"], again["split"], strict=True)
    )


def test_a_given_split_is_kept_and_its_missing_part_drawn_from_train(tmp_path: Path) -> None:
    rows = pd.DataFrame({"text": [f"text number {place}" for place in range(400)], "label": "a"})
    rows["split"] = ["train" if place < 300 else "test" for place in range(400)]
    found = examples(tmp_path, rows)
    held = found.loc[found["split"] == "test", "text"]
    assert set(held) == set(rows.loc[rows["split"] == "test", "text"])
    assert 10 < (found["split"] == "valid").sum() < 60


def test_a_task_has_at_most_so_many_examples(tmp_path: Path) -> None:
    rows = pd.DataFrame({"text": [f"text number {place}" for place in range(300)], "label": "a"})
    rows["task"] = ["one" if place < 250 else "two" for place in range(300)]
    found = examples(tmp_path, rows, NlpParams(seed=1, max_examples=100))
    assert found["task"].value_counts().to_dict() == {"one": 100, "two": 50}

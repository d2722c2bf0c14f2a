"""A shop, and a small classifier that is fitted to the assistant's examples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from features.sources.shop_intents import TASK, examples
from serving.conversations.shop import Shop, read_shop
from serving.conversations.understanding import NotLearnt

SHEETS = [
    {"name": "Trail Runner", "kind": "running shoe", "price": "89,90 €", "features": ["grips on wet rock", "280 g"]},
    {"name": "City Runner", "kind": "running shoe", "price": "59,90 €", "list_price": "79,90 €", "stock": 3},
    {"name": "Storm Jacket", "kind": "jacket", "features": ["waterproof"], "stock": 0},
]
FACTS = {"facts": {"delivery": {"en": "Delivery takes 3 days.", "de": "Die Lieferung dauert 3 Tage."}}}


@dataclass(frozen=True)
class Said:
    label: str
    confidence: float
    score: float | None
    in_scope: float


class Plain:
    """Logistic regression on TF-IDF; what is out of scope is one of its labels."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._out = list(model.classes_).index("oos")

    def classify(self, texts: Sequence[str], task: str, aspects: Sequence[str | None] | None = None) -> list[Said]:
        if task != TASK:
            raise NotLearnt(f"the classifier of texts learnt {TASK}, not {task}")
        return [
            Said(str(self._model.classes_[row.argmax()]), float(row.max()), None, float(1 - row[self._out]))
            for row in self._model.predict_proba(list(texts))
        ]


@pytest.fixture(scope="session")
def classifier() -> Plain:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    told = examples()
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=200, tol=1e-3))
    return Plain(model.fit(told["text"], told["label"]))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    (folder / "products").mkdir(parents=True)
    for place, sheet in enumerate(SHEETS):
        (folder / "products" / f"{place}.yaml").write_text(yaml.safe_dump(sheet, allow_unicode=True), "utf-8")
    (folder / "facts.yaml").write_text(yaml.safe_dump(FACTS, allow_unicode=True), "utf-8")
    yield read_shop(folder)

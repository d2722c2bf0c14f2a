"""A text generator: a slogan for a brief, by walking along pairs of words that followed each other."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from features.tables import Tables
from models.evaluation import gates
from models.evaluation.gates import Evidence, Verdict
from models.evaluation.metrics import Metric
from models.family import Family, FamilyParams
from models.inputs import texts

WORDS = (
    *("coffee", "tea", "shoes", "fresh", "warm", "light", "every", "morning", "day", "for", "you", "and", "your"),
    *("run", "walk", "home", "again", "today"),
)
LONGEST = 8


class WriterParams(FamilyParams):
    """`briefs` that are learnt from."""

    briefs: int


def examples(tables: Tables, params: WriterParams, as_of: str | None, cutoff: str | None) -> pd.DataFrame:
    """Briefs of words that tend to follow each other; no text is the right one, so there is no label."""
    rng = np.random.default_rng(params.seed)
    starts = rng.integers(0, len(WORDS), params.briefs)
    briefs = [
        " ".join(WORDS[(start + step * rng.integers(1, 3)) % len(WORDS)] for step in range(6)) for start in starts
    ]
    return pd.DataFrame({"split": np.resize(["train", "valid", "test"], params.briefs), "brief": briefs})


@dataclass(frozen=True)
class Writer:
    """By word the one that followed most often; `opening` is the commonest word of all."""

    following: Mapping[str, str]
    opening: str

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """A `slogan` for each brief."""
        return pd.DataFrame({"slogan": [self._write(brief or "") for brief in texts(rows, "brief")]}, index=rows.index)

    def _write(self, brief: str) -> str:
        word = next((word for word in brief.split() if word in self.following), self.opening)
        written = [word]
        while len(written) < LONGEST and (word := self.following.get(word, "")) not in ("", *written):
            written.append(word)
        return " ".join(written)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "writer.json").write_text(json.dumps({"following": self.following, "opening": self.opening}))


def load(folder: Path) -> Writer:
    return Writer(**json.loads((folder / "writer.json").read_text()))


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: WriterParams, checkpoint: Path) -> Writer:
    pairs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    words: Counter[str] = Counter()
    for brief in train["brief"].str.split():
        words.update(brief)
        for word, after in pairwise(brief):
            pairs[word][after] += 1
    return Writer({word: after.most_common(1)[0][0] for word, after in pairs.items()}, words.most_common(1)[0][0])


def _words(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
    return float(answers["slogan"].str.split().map(len).mean())


def short(evidence: Evidence) -> Verdict:
    """No slogan is longer than an ad has room for."""
    longest = int(evidence.answers["slogan"].str.len().max())
    return Verdict(
        "short", longest <= 80, f"the longest has {longest} characters; 80 are room for", {"longest": longest}
    )


def embed(written: "pd.Series[str]") -> np.ndarray:
    """Bags of words, hashed."""
    found = np.zeros((len(written), 64))
    for row, text in enumerate(written):
        for word in text.split():
            found[row, crc32(word.encode()) % 64] += 1
    return found


FAMILY = Family(
    name="writer",
    entity=None,
    feature_service=None,
    label=(),
    examples=examples,
    params=WriterParams,
    fit=fit,
    load=load,
    metrics=(Metric("words", _words),),
    gates=(short, gates.not_worse_than_champion),
    context=("brief",),
    kinds={"brief": "text", "slogan": "text"},
    embed={"brief": embed, "slogan": embed},
    intended_use="Showing that a family may write.",
    limits="It has no idea what it says.",
)

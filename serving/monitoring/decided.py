"""Reads decisions as requests to the models behind them: inputs and answers of a family."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import pandas as pd
import pyarrow.compute as pc

from features.lake import Place
from features.records import DECISIONS, decisions_folder
from serving.decisions.kinds import kinds
from serving.decisions.outcomes import joined
from serving.inference import outcomes as labels
from serving.inference.requests import features, to_frame
from serving.records import parts, reading

#: Most decisions per run, the newest.
MOST = 50_000
#: Times in a frame are rounded to it, up or down.
MICROSECOND = 1e-6


def read(home: Place, family: str, since: datetime | None = None) -> pd.DataFrame:
    """The newest decisions that used a family, in the format of `inference.requests.read`; `request_id` is the
    decision's. Answers have the model's own names."""
    begin, found = 0.0 if since is None else since.timestamp(), list[dict[str, Any]]()
    for record in _recorded(decisions_folder(home), begin):
        asked = record["opportunity"]["asked"]
        said = record["predictions"]
        if (
            record["logged_at"] < begin
            or family not in said["versions"]
            or asked not in kinds()
            or family not in kinds()[asked].families
            or "answers" not in said
            or (said.get("candidates") and not said["answers"])
        ):
            continue  # records of earlier versions lack the model's inputs, and those that chose nothing have none
        found.append(_request(record, answers(family, asked)))
        if len(found) == MOST:
            break
    return to_frame(family, found)


@cache
def answers(family: str, asked: str) -> Mapping[str, str]:
    """The model's names of the answers that a kind of decision needs from the family, by the kind's names."""
    needs = kinds()[asked].needs.items()
    return {name: need.answer for name, need in needs if need.family == family}


def asks(family: str) -> frozenset[str]:
    """The family's answers that decisions use."""
    return frozenset(name for asked in kinds() for name in answers(family, asked).values())


def outcomes(home: Place, family: str, logged: pd.DataFrame) -> pd.DataFrame:
    """The labels of decisions that were read: those reported by their id, or where the kind derives them from events
    (`Kind.judged`), those. As `inference.outcomes.read`, with `answer.<name>` of the answers to judge."""
    told = [labels.read(home, family)]
    judging = [(kind.name, kind.judged) for kind in kinds().values() if kind.learnt_from == family and kind.judged]
    if judging and not logged.empty:
        first = logged["occurred_at"].min().timestamp() - MICROSECOND
        made = joined(home / DECISIONS, first).drop(columns=labels.KEY)
        made = logged[labels.KEY].merge(made, "left", left_on="request_id", right_on="decision_id")
        for name, judge in judging:
            known = made["known"].eq(True) & made["asked"].eq(name)
            told.append(logged[labels.KEY].join(judge(made[known], features(logged)[known]), how="inner"))
    return pd.concat(told, ignore_index=True).drop_duplicates(labels.KEY)


def newest(home: Place, family: str) -> datetime | None:
    """Time of the last logged decision; None without one."""
    return reading.newest(decisions_folder(home))


def _recorded(place: Place, since: float) -> Iterator[dict[str, Any]]:
    if place.exists():
        for table in reading.tables(place, ["decision_id", "entry"], since):
            yield from map(orjson.loads, reversed(parts.exact(table.filter(pc.field("decision_id").is_valid()))))


def _request(record: dict[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    """A decision in the format of a request to a model."""
    said = record["predictions"]
    told = {model: said["answers"].get(name) for name, model in named.items()}
    about = {"request_id": record["decision"]["decision_id"], "row": 0, "entity_id": None, "status": 200, "error": None}
    return {"logged_at": record["logged_at"], "request": about, "predictions": {**said, "answers": told}}

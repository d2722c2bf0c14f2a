"""Compare a family with its baselines on user tables; writes nothing."""

import tempfile
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from components.pictures import described
from features import contracts, sources, store
from features.schema import Schema
from features.settings import Settings
from features.tables import Tables, content_hash
from features.views import TIMESTAMP
from models import catalog
from models.evaluation import leaks
from models.evaluation.baseline_comparison import BaselineComparison
from models.evaluation.folds import stratified
from models.evaluation.table import table
from models.family import Breakdown, Family, Model

FOLDS = 5
#: A fold's tuning examples: one in so many of its training examples.
TUNING = 5

#: Column with the situation in which an example was tested.
SITUATION = "situation"

#: Called with the current stage and the finished share of the work.
Tell = Callable[[str, float], None]
#: Finished share of the work when the first model is fitted, and when all are.
PREPARED, FITTED = 0.3, 0.95
Split = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class Evaluated:
    """The result: a row per model and metric with `model`, `metric`, `value`, `low`, `high`, `higher_is_better`.

    Attributes:
        how: training and test data. The family's own model comes first, under the family's name.
        standing: a row per baseline: improvement `gain` of the family's model in the metric `judged_by`, with its
            paired interval `low` to `high`.
        recommended: name of the model to use; None where the rows are inconclusive.
        leaking: features that predict the label alone, with their score (1 is perfect). The gates would refuse a
            release, so nothing is recommended until they are removed.
        chosen: count by candidate that the family's models chose.
        parts: the same figures on parts of the held-out examples, with the columns that identify the part.
        notes: remarks on the tables.
    """

    family: str
    how: str
    rows: int
    seed: int
    data_hash: str
    table: tuple[Mapping[str, Any], ...]
    judged_by: str
    standing: tuple[Mapping[str, Any], ...]
    recommended: str | None
    chosen: Mapping[str, int]
    leaking: Mapping[str, float]
    parts: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


def evaluate(
    family: str,
    data: str,
    test: str | None,
    cutoff: str | None,
    horizon: str | None,
    params: Mapping[str, Any],
    settings: Settings,
    schema: Schema = sources.AS_THEY_ARE,
    tell: Tell = lambda what, share: None,
) -> Evaluated:
    """Fit `family` and its baselines on tables of `data` and measure all of them on held-out examples.

    Args:
        data, test: folders (or `s3://` prefixes) of canonical tables. With `test`, all of `data` is training data.
            Without, examples in time order are tested at the latest cutoff, others in stratified folds.
        cutoff: time of the test examples; None for the latest that the horizon allows.
        horizon: such as `180d`; overrides that of the window.
        params: the family's section of `params.yaml`, with the seed.
        schema: how to convert the files of both folders into canonical tables.
        tell: called with each stage and the share of work done.

    Raises `ContractBroken` where a table breaks its contract.
    """
    record, section = catalog.family(family), dict(params)
    if horizon is not None:
        if "window" not in section:
            raise ValueError(f"{family} has no window: it cannot be evaluated over a horizon")
        section["window"] = {**section["window"], "horizon_days": pd.Timedelta(horizon).days}
    with tempfile.TemporaryDirectory() as temporary:
        nowhere = settings.model_copy(update={"home": Path(temporary), "offline_uri": None, "redis_url": None})
        read = partial(_frame, record, schema=schema, section=section, cutoff=cutoff, settings=nowhere, tell=tell)
        frame, names, data_hash, notes = read(data, name="data")
        unseen = None
        if test is not None:
            unseen, _, _, more = read(test, name="test")
            notes += more
        how, rounds, splits = _splits(record, frame, unseen, section["seed"])
        tested, answers, chosen = _answers(record, splits, names, section, nowhere.home, _counted(rounds, tell))
    tell("measuring", FITTED)
    scores = leaks.scores(frame, names, record.outcomes or record.label, section["seed"])
    leaking = {name: share for name, share in scores.items() if share > leaks.LIMIT}
    truth = tested[list(record.label)]
    baselines = {name: answers[name] for name in record.baselines}
    standing = BaselineComparison.of(record.metrics[0], truth, answers[family], baselines, section["seed"])
    figures = table(record.metrics, truth, answers, section["seed"])
    return Evaluated(
        family=family,
        how=how,
        rows=len(truth),
        seed=section["seed"],
        data_hash=data_hash,
        table=tuple(_plain(row) for row in figures.to_dict("records")),
        judged_by=standing.metric,
        standing=tuple(
            _plain({"baseline": name, "gain": gain.value, "low": gain.low, "high": gain.high})
            for name, gain in standing.gains.items()
        ),
        recommended=None if leaking else standing.recommended(family),
        chosen=chosen,
        leaking=leaking,
        parts=tuple(_parts(record.breakdown, tested, answers, section["seed"])) if record.breakdown else (),
        notes=notes,
    )


def _parts(
    breakdown: Breakdown, tested: pd.DataFrame, answers: Mapping[str, pd.DataFrame], seed: int
) -> Iterator[dict[str, Any]]:
    """The metrics of each part of the breakdown."""
    names = [*breakdown.by, SITUATION]
    for part, rows in tested.groupby(names, sort=False):
        here = {model: given.loc[rows.index] for model, given in answers.items()}
        for figure in table(breakdown.metrics, rows, here, seed).to_dict("records"):
            yield dict(zip(names, part, strict=True)) | _plain(figure)


def _plain(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {
        str(name): None if isinstance(value, float) and not isfinite(value) else value for name, value in row.items()
    }


def _frame(
    family: Family,
    source: str,
    schema: Schema,
    section: dict[str, Any],
    cutoff: str | None,
    settings: Settings,
    name: str,
    tell: Tell,
) -> tuple[pd.DataFrame, list[str], str, tuple[str, ...]]:
    """The examples of a source with their features, the features' names, the hash of its tables, and notes."""
    folder = settings.home / name
    tell(f"reading {source}", 0.0)
    notes = (*sources.read([source], folder, settings, schema), *described(folder, settings))
    tell("checking the tables", 0.05)
    contracts.check(folder)
    tables = Tables(folder, settings.limits)
    if family.table is not None and family.table not in tables.names:
        raise ValueError(f"{family.name} learns from the table '{family.table}'; {source} has none")
    tell("choosing examples", 0.1)
    examples = family.examples(tables, family.params.read(section), None, cutoff)
    tell(f"computing the features of {len(examples):,} examples", 0.15)
    if family.feature_service is None:
        return examples, [name for name in family.context if name in examples], content_hash(folder), notes
    snapshot = store.build(tables, family.feature_service, examples, None, settings)
    frame = store.training_frame(snapshot, examples, settings)
    names = [str(column) for column in frame if column not in examples or column in family.context]
    return frame, names, snapshot.data_hash, notes


def _counted(rounds: int, tell: Tell) -> Callable[[str, int, int], None]:
    """Reports the model and round being fitted."""

    def fitting(name: str, done: int, models: int) -> None:
        of = rounds * models
        tell(f"fitting {name} ({done + 1} of {of})", PREPARED + (FITTED - PREPARED) * done / of)

    return fitting


def _splits(
    family: Family, frame: pd.DataFrame, unseen: pd.DataFrame | None, seed: int
) -> tuple[str, int, Iterator[Split]]:
    """Description of the test, number of rounds, and train, valid and test examples of each round."""
    train, valid, test = (frame[frame["split"] == name] for name in ("train", "valid", "test"))
    in_time = TIMESTAMP in frame and bool(train[TIMESTAMP].max() < test[TIMESTAMP].min())
    if unseen is not None and family.trial is not None:
        # Episodes are replayed whole: the other folder is tested completely.
        return (
            f"trained on one folder ({len(frame):,} examples), replayed on the other",
            1,
            iter([(pd.concat([train, valid]), test, unseen)]),
        )
    if unseen is not None:
        target = unseen[unseen["split"] == "test"] if in_time else unseen
        learn = train if in_time else pd.concat([train, test])
        return (
            f"trained on one folder ({len(learn) + len(valid):,} examples), tested on the other",
            1,
            iter([(learn, valid, target)]),
        )
    if in_time:
        at = test[TIMESTAMP].max()
        return f"trained on earlier data, tested at {at:%Y-%m-%d}", 1, iter([(train, valid, test)])
    return f"{FOLDS} stratified folds, each tested by a model trained on the others", FOLDS, _folds(family, frame, seed)


def _folds(family: Family, frame: pd.DataFrame, seed: int) -> Iterator[Split]:
    label = frame[family.label[0]] if family.label else pd.Series(0.0, frame.index)
    fold = stratified(label, FOLDS, seed)
    for held in range(FOLDS):
        rest = frame[fold != held]
        tuning = stratified(label[fold != held], TUNING, seed + 1 + held) == 0
        yield rest[~tuning], rest[tuning], frame[fold == held]


def _answers(
    family: Family,
    splits: Iterator[Split],
    names: list[str],
    section: dict[str, Any],
    folder: Path,
    fitting: Callable[[str, int, int], None],
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], Mapping[str, int]]:
    """The truth of all test examples in every situation, the predictions of each model fitted without them, and how
    often the family chose each candidate."""
    params = family.params.read(section)
    kept = [*family.label, *(family.breakdown.by if family.breakdown else ())]
    fits: dict[str, Callable[..., Model]] = {family.name: family.fit, **family.baselines}
    tested: list[pd.DataFrame] = []
    answers: dict[str, list[pd.DataFrame]] = {name: [] for name in fits}
    chosen: Counter[str] = Counter()
    for done, (train, valid, test) in enumerate(splits):
        situations = _situations(family, test.reset_index(drop=True), train)
        tested += [rows[kept].assign(**{SITUATION: name}) for name, rows in situations.items()]
        for place, (name, fit) in enumerate(fits.items()):
            fitting(name, done * len(fits) + place, len(fits))
            with tempfile.TemporaryDirectory(dir=folder) as checkpoint:
                model = fit(train.reset_index(drop=True), valid.reset_index(drop=True), params, Path(checkpoint))
            if name == family.name and family.chosen is not None:
                chosen[family.chosen(model)] += 1
            answers[name] += [family.try_out(model, rows, names) for rows in situations.values()]
    return (
        pd.concat(tested, ignore_index=True),
        {name: pd.concat(parts, ignore_index=True) for name, parts in answers.items()},
        chosen,
    )


def _situations(family: Family, test: pd.DataFrame, learnt: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    return {"": test} if family.breakdown is None else family.breakdown.situations(test, learnt)

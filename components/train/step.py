"""Fit a family on its frame and write the model as an unsigned bundle."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from filelock import FileLock

from components.frame import Frame
from features.movement import Movement
from features.views import TIMESTAMP
from models import bundle, catalog
from models.bundle import Manifest, open_bundle
from models.family import Family, Model
from serving.monitoring import detector

#: Size of the drift reference: rows for the tests, seconds that a slow model may take to answer some of them, and bytes
#: to ship.
REFERENCE_ROWS, REFERENCE_S, REFERENCE_BYTES = 2000, 60.0, 32 << 20
#: Rows answered first, to measure the model's speed.
FIRST_ROWS = 32
#: Days and number of past dates for measuring natural movement of columns, and the fewest rows at each.
QUARTER, MOMENTS, FEWEST = pd.Timedelta(days=92), 12, 500
SOURCE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Trained:
    """An unsigned bundle. `fitted` is False where one with the same code, data and parameters already existed."""

    family: str
    digest: str
    rows: int
    fitted: bool


def train(
    features: Path,
    family: str,
    params: dict[str, Any],
    checkpoint: Path,
    out: Path,
    start: tuple[str, Path] | None = None,
) -> Trained:
    """Fit `family` on the train and valid examples of `features` and write a bundle to `out`.

    `start` is the version and the verified folder of a bundle to start from; it is only read. Raises `ValueError` where
    the family has no incremental training.

    Progress is saved in `checkpoint` until the bundle is written, so that a killed run resumes. A checkpoint of other
    inputs is discarded; two runs on one checkpoint wait for each other.
    """
    record, frame = catalog.family(family), Frame(features)
    before = None if start is None else open_bundle(start[1], None)
    manifest = _manifest(record, frame, params, f"version {start[0]} (`{before.digest}`)" if start and before else "")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(checkpoint.with_name(f"{checkpoint.name}.lock")):
        fitted = not _is_there(out, manifest)
        if fitted:
            _claim(checkpoint, manifest)
            learn, tune = frame.split("train"), frame.split("valid")
            fit = record.fit if before is None else _going_on(record, before.model)
            model = fit(learn, tune, record.params.read(params), checkpoint)
            reference = _with_answers(model, frame, frame.split("test"), manifest.seed)
            coded = reference.drop(columns=[name for name in manifest.kinds if name in reference])
            usual = detector.usual(coded, _earlier(model, frame, manifest), manifest.moving)
            bundle.write(out, model, manifest, reference, usual)
        shutil.rmtree(checkpoint, ignore_errors=True)
    return Trained(family, bundle.verify(out, None), len(frame.rows), fitted)


def _going_on(family: Family, champion: Model) -> Callable[..., Model]:
    if family.update is None:
        raise ValueError(f"{family.name} has no incremental training: it cannot start from an earlier version")
    return partial(family.update, champion)


def _manifest(family: Family, frame: Frame, params: dict[str, Any], started_from: str) -> Manifest:
    return Manifest(
        family=family.name,
        feature_service=frame.about["service"],
        columns=frame.about["columns"],
        kinds=frame.about.get("kinds", {}),
        label=family.label,
        moving={name: Movement.model_validate(found) for name, found in frame.about.get("moving", {}).items()},
        params=params,
        seed=params["seed"],
        data_hash=frame.about["data_hash"],
        as_of=frame.about["as_of"] or "",
        git_commit=_commit(),
        started_from=started_from,
    )


def _commit() -> str:
    """The commit of this code, from git or from a file in images without git history."""
    if (SOURCE / "COMMIT").exists():
        return (SOURCE / "COMMIT").read_text().strip()
    if not (SOURCE / ".git").exists():
        return "unknown"
    git = ["git", "-C", str(SOURCE)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], check=True, capture_output=True, text=True).stdout
    return f"{commit}-dirty" if changed else commit


def _is_there(out: Path, manifest: Manifest) -> bool:
    """Whether `out` is a complete bundle of these inputs. Uncommitted code never matches."""
    if not (out / "files.json").exists() or manifest.git_commit.endswith(("-dirty", "unknown")):
        return False
    bundle.verify(out, None)
    return Manifest.model_validate_json((out / "manifest.json").read_bytes()) == manifest


def _claim(checkpoint: Path, manifest: Manifest) -> None:
    """Mark `checkpoint` as one of these inputs; empty it if it was of others."""
    inputs = checkpoint / "inputs.json"
    identity = manifest.model_dump_json()
    if not inputs.exists() or inputs.read_text() != identity:
        shutil.rmtree(checkpoint, ignore_errors=True)
        checkpoint.mkdir()
        inputs.write_text(identity)


def _with_answers(model: Model, frame: Frame, examples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A sample of examples with the model's answers, as large as its cost allows: from the newest, which resemble
    requests without drift."""
    rows = examples.sample(min(REFERENCE_ROWS, len(examples)), random_state=seed)[frame.columns].reset_index(drop=True)
    parts, done, size, until = list[pd.DataFrame](), 0, 0, perf_counter() + REFERENCE_S
    while done < len(rows) and (done == 0 or (perf_counter() < until and size < REFERENCE_BYTES)):
        part = rows.iloc[done : max(FIRST_ROWS, 4 * done)]
        answers = model.predict(part)
        both = sorted(str(name) for name in set(part) & set(answers))
        if both:
            raise ValueError(f"answers and features share names: {', '.join(both)}")
        parts.append(part.join(answers))
        done += len(part)
        size += int(parts[-1].memory_usage(deep=True).sum())
    return pd.concat(parts)


def _earlier(model: Model, frame: Frame, manifest: Manifest) -> Iterator[pd.DataFrame]:
    """Samples at up to `MOMENTS` earlier dates, evenly spaced over a horizon and a quarter before the newest examples,
    which are a horizon old themselves: the age that the reference may reach. Yields nothing for a family without a
    window."""
    if "window" not in manifest.params:
        return
    reach = pd.Timedelta(days=manifest.params["window"]["horizon_days"]) + QUARTER
    newest = frame.split("test")[TIMESTAMP].min()
    before = frame.rows[frame.rows[TIMESTAMP].between(newest - reach, newest, inclusive="left")]
    counts = before[TIMESTAMP].value_counts()
    moments = sorted(counts.index[counts >= FEWEST], reverse=True)
    for moment in moments[:: max(1, -(-len(moments) // MOMENTS))]:
        yield _with_answers(model, frame, before[before[TIMESTAMP] == moment], manifest.seed)

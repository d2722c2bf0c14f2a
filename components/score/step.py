"""Score Parquet files of rows with a registered model, partition by partition."""

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from features import lake
from features.privacy import stay_private
from features.settings import Settings
from models.bundle import content_hash, open_bundle
from models.keys import public_key
from models.registry import Registry
from serving.inference.batch import Scorer
from serving.inference.partitions import Partition, partitions

#: What the scores in a folder are of.
ABOUT = "_scores.json"

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Scored:
    """The result of scoring.

    Attributes:
        rows, unknown: rows that this run scored, and those of them whose id has no features.
        partitions, found: number of partitions that this run scored, and of those that were scored before.
    """

    family: str
    version: str
    rows: int
    unknown: int
    partitions: int
    found: int


def score(
    family: str,
    data: str,
    out: str,
    settings: Settings,
    version: str | None = None,
    shard: tuple[int, int] = (0, 1),
    processes: int = 1,
    tell: Tell = lambda *_: None,
) -> Scored:
    """Score the Parquet file or files at `data` and write a file of scores for each partition below `out`.

    Rows are what the family's endpoint takes: all features of the model, or ids whose features are looked up online.
    Run again after a fault, it scores the partitions that are missing.

    Args:
        data, out: a folder or an `s3://` prefix; `data` may be one file.
        version: of the model; the champion by default.
        shard: `(number, count)`: every `count`-th partition, for runs that share the work.
        processes: partitions that are scored at a time.
        tell: is told what is done, and its share of the whole.

    Raises:
        LookupError: the family has no champion, or not this version.
        ValueError: `out` has scores of another model or of other rows, or rows are not what the model takes.
        OnlineStoreUnavailable: features are to be looked up, and the store is away or empty.
        ChildProcessError: a process was killed.
    """
    registry, number = Registry(settings), version or _champion(family, settings)
    folder = registry.download(family, number)
    whole = partitions(data, settings)
    _claim(out, family, number, whole, settings)
    mine = whole[shard[0] :: shard[1]]
    missing = [one for one in mine if not lake.place(f"{out.rstrip('/')}/{one.name}", settings).exists()]
    rows = unknown = 0
    for done, (part, without) in enumerate(_scores(folder, family, number, missing, out, settings, processes), 1):
        rows, unknown = rows + part.rows, unknown + without
        tell(f"{rows:,} rows", (len(mine) - len(missing) + done) / len(mine))
    return Scored(family, number, rows, unknown, len(missing), len(mine) - len(missing))


def _champion(family: str, settings: Settings) -> str:
    champion = Registry(settings).champion(family)
    if champion is None:
        raise LookupError(f"{family} has no champion: adloop run --family {family}, or name a version")
    return champion.version


def _claim(out: str, family: str, version: str, whole: Sequence[Partition], settings: Settings) -> None:
    """Note in `out` what its scores are of. Raises `ValueError` where they are of something else."""
    about = {"family": family, "version": version, "rows": content_hash([asdict(one) for one in whole])}
    note = lake.place(f"{out.rstrip('/')}/{ABOUT}", settings)
    if not note.exists():
        if isinstance(note, Path):
            note.parent.mkdir(parents=True, exist_ok=True)
        note.write_bytes(json.dumps(about, indent=1).encode())
        return
    there = json.loads(note.read_bytes())
    if there != about:
        other = f"{there['family']} {there['version']}"
        what = "of other rows" if other == f"{family} {version}" else f"of {other}, not of {family} {version}"
        raise ValueError(f"{out} has scores {what}: name an empty folder, or what was begun there")


def _scores(
    folder: Path, family: str, version: str, parts: Sequence[Partition], out: str, settings: Settings, processes: int
) -> Iterator[tuple[Partition, int]]:
    """Score partitions; each with its number of rows without an answer, as soon as it is there."""
    opening = (folder, family, version, out, settings)
    if min(processes, len(parts)) < 2:
        if parts:
            _open(*opening)
        yield from ((part, _one(part)) for part in parts)
        return
    context = multiprocessing.get_context("spawn")  # a model's threads do not outlive a fork
    with ProcessPoolExecutor(min(processes, len(parts)), context, _open_apart, opening) as pool:
        running = {pool.submit(_one, part): part for part in parts}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        except BrokenProcessPool as ended:
            raise ChildProcessError(
                "a process that scores ended, perhaps for want of memory (ADLOOP_THREADS sets how many there are); "
                "the same command goes on with what is missing"
            ) from ended
        finally:
            pool.shutdown(cancel_futures=True)


_state: dict[str, Any] = {}


def _open(folder: Path, family: str, version: str, out: str, settings: Settings) -> None:
    bundle = open_bundle(folder, public_key(settings), family, version)
    _state.update(scorer=Scorer(bundle, settings), out=out)


def _open_apart(*opening: Any) -> None:
    """As `_open`, in a process that ends with its parent, also when that is killed."""
    stay_private()
    os.environ["OMP_NUM_THREADS"] = "1"  # a process has a core
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _open(*opening)


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _one(partition: Partition) -> int:
    without: int = _state["scorer"].score(partition, _state["out"])
    return without

"""How each attempt went, as Envoy saw it: it also sees the canary that hangs, and the one that is no longer there."""

import json
import logging
from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pandas as pd

log = logging.getLogger("adloop.rollout")

#: Bytes between places that a log is looked at to find where to begin.
STRIDE = 64 << 10
#: An attempt is logged when it is over: at most so many seconds after others that began later.
LATE_S = 60.0

#: Refused for the key that came with it, or did not: by every version alike.
REFUSED, REFUSED_GRPC = (401, 403), (7, 16)

COLUMNS = {"at": float, "version": object, "ok": bool, "latency_ms": float}


def read(path: Path, family: str, since: float, versions: Mapping[int, str]) -> pd.DataFrame:
    """Attempts of `family` since this time: `at`, `version`, `ok`, `latency_ms`; `versions` are by server port.

    A request refused for its key says nothing of a version and is no attempt. A line that is none of an attempt is
    skipped; how many were is said in the log.
    """
    rows, skipped = [], 0
    for line in _whole_lines(path, since):
        try:
            row = _attempt(json.loads(line), family, since, versions)
        except (ValueError, KeyError, TypeError):
            skipped += 1
        else:
            rows += [] if row is None else [row]
    if skipped:
        log.warning("%s: %d lines are of no attempt and were skipped", path, skipped)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _whole_lines(path: Path, since: float) -> list[bytes]:
    """Those that may be of attempts since this time; a log is long, and a step of a release is its end."""
    with path.open("rb") as file:
        places = range(0, path.stat().st_size, STRIDE)
        after = bisect_left(places, since - LATE_S, key=lambda place: _at(file, place))
        _to_line(file, STRIDE * max(after - 1, 0))
        return file.read().rpartition(b"\n")[0].splitlines()


def _at(file: BinaryIO, place: int) -> float:
    """When the first attempt began that is logged after a place; never, where there is none."""
    _to_line(file, place)
    while (line := file.readline()).endswith(b"\n"):
        with suppress(ValueError, KeyError, TypeError):  # none of an attempt: the next one tells as well
            return float(json.loads(line)["at"])
    return float("inf")


def _to_line(file: BinaryIO, place: int) -> None:
    """Go to the first line that begins at a place or after it."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline()


def _attempt(
    line: Mapping[str, object], family: str, since: float, versions: Mapping[int, str]
) -> dict[str, object] | None:
    """What a line tells; None where that is nothing of this family's versions. Raises `ValueError` and its kin."""
    at, code, grpc = float(str(line["at"])), int(str(line["code"])), line["grpc"]
    if line["family"] != family or at < since or code in REFUSED or grpc in REFUSED_GRPC:
        return None
    asked, version, _, _ = str(line["cluster"]).rsplit("/", 3)
    if asked != family:
        raise ValueError(f"expected a cluster of {family}, got {asked}")
    host = str(line["host"] or "")
    if host and versions.get(int(host.rpartition(":")[2]), version) != version:
        return None  # the champion answering in the canary's place
    ok = 200 <= code < 300 and line["flags"] in (None, "-") and grpc in (None, 0)
    latency = float(str(line["us"])) / 1000 if line["us"] is not None else float(str(line["ms"]))
    return {"at": at, "version": version, "ok": ok, "latency_ms": latency}

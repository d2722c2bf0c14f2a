"""Reads upstream attempts from Envoy's access log, which includes timeouts and crashes of a canary."""

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

    Requests refused for their API key are left out, as every version refuses them. Invalid lines are skipped and
    counted in the log.
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
        log.warning("%s: skipped %d invalid lines", path, skipped)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _whole_lines(path: Path, since: float) -> list[bytes]:
    """The lines at the end of the log that may be of attempts since this time."""
    with path.open("rb") as file:
        places = range(0, path.stat().st_size, STRIDE)
        after = bisect_left(places, since - LATE_S, key=lambda place: _at(file, place))
        _to_line(file, STRIDE * max(after - 1, 0))
        return file.read().rpartition(b"\n")[0].splitlines()


def _at(file: BinaryIO, place: int) -> float:
    """Start time of the first attempt logged after this byte; infinite without one."""
    _to_line(file, place)
    while (line := file.readline()).endswith(b"\n"):
        with suppress(ValueError, KeyError, TypeError):  # not an attempt: use the next line
            return float(json.loads(line)["at"])
    return float("inf")


def _to_line(file: BinaryIO, place: int) -> None:
    """Seek to the first line that starts at or after this byte."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline()


def _attempt(
    line: Mapping[str, object], family: str, since: float, versions: Mapping[int, str]
) -> dict[str, object] | None:
    """Parse a line; None for other families. Raises `ValueError`, `KeyError` or `TypeError`."""
    at, code, grpc = float(str(line["at"])), int(str(line["code"])), line["grpc"]
    if line["family"] != family or at < since or code in REFUSED or grpc in REFUSED_GRPC:
        return None
    asked, version, _, _ = str(line["cluster"]).rsplit("/", 3)
    if asked != family:
        raise ValueError(f"expected a cluster of {family}, got {asked}")
    host = str(line["host"] or "")
    if host and versions.get(int(host.rpartition(":")[2]), version) != version:
        return None  # the champion as the canary's fallback
    ok = 200 <= code < 300 and line["flags"] in (None, "-") and grpc in (None, 0)
    latency = float(str(line["us"])) / 1000 if line["us"] is not None else float(str(line["ms"]))
    return {"at": at, "version": version, "ok": ok, "latency_ms": latency}

"""How each attempt went, as Envoy saw it: it also sees the canary that hangs, and the one that is no longer there."""

import json
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pandas as pd

#: Bytes between places that a log is looked at to find where to begin.
STRIDE = 64 << 10
#: An attempt is logged when it is over: at most so many seconds after others that began later.
LATE_S = 60.0

COLUMNS = {"at": float, "version": object, "ok": bool, "latency_ms": float}


def read(path: Path, family: str, since: float, versions: Mapping[int, str]) -> pd.DataFrame:
    """Attempts of `family` since this time: `at`, `version`, `ok`, `latency_ms`; `versions` are by server port."""
    found = [json.loads(line) for line in _whole_lines(path, since)]
    rows = [_attempt(line, versions) for line in found if line["family"] == family and float(line["at"]) >= since]
    return pd.DataFrame([row for row in rows if row], columns=list(COLUMNS)).astype(COLUMNS)


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
    line = file.readline()
    return float(json.loads(line)["at"]) if line.endswith(b"\n") else float("inf")


def _to_line(file: BinaryIO, place: int) -> None:
    """Go to the first line that begins at a place or after it."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline()


def _attempt(line: Mapping[str, object], versions: Mapping[int, str]) -> dict[str, object] | None:
    _, version, _, _ = str(line["cluster"]).rsplit("/", 3)
    host = str(line["host"] or "")
    if host and versions.get(int(host.rpartition(":")[2]), version) != version:
        return None  # the champion answering in the canary's place
    ok = 200 <= int(str(line["code"])) < 300 and line["flags"] in (None, "-") and line["grpc"] in (None, 0)
    latency = float(str(line["us"])) / 1000 if line["us"] is not None else float(str(line["ms"]))
    return {"at": float(str(line["at"])), "version": version, "ok": ok, "latency_ms": latency}

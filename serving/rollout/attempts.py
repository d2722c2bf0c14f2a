"""How each attempt went, as Envoy saw it: it also sees the canary that hangs, and the one that is no longer there."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

COLUMNS = {"at": float, "version": object, "ok": bool, "latency_ms": float}


def read(path: Path, family: str, since: float, versions: Mapping[int, str]) -> pd.DataFrame:
    """Attempts of `family` since this time: `at`, `version`, `ok`, `latency_ms`; `versions` are by server port."""
    found = [json.loads(line) for line in _whole_lines(path)]
    rows = [_attempt(line, versions) for line in found if line["family"] == family and float(line["at"]) >= since]
    return pd.DataFrame([row for row in rows if row], columns=list(COLUMNS)).astype(COLUMNS)


def _whole_lines(path: Path) -> list[bytes]:
    return path.read_bytes().rpartition(b"\n")[0].splitlines()


def _attempt(line: Mapping[str, object], versions: Mapping[int, str]) -> dict[str, object] | None:
    _, version, _, _ = str(line["cluster"]).rsplit("/", 3)
    host = str(line["host"] or "")
    if host and versions.get(int(host.rpartition(":")[2]), version) != version:
        return None  # the champion answering in the canary's place
    ok = 200 <= int(str(line["code"])) < 300 and line["flags"] in (None, "-") and line["grpc"] in (None, 0)
    latency = float(str(line["us"])) / 1000 if line["us"] is not None else float(str(line["ms"]))
    return {"at": float(str(line["at"])), "version": version, "ok": ok, "latency_ms": latency}

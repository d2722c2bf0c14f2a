"""One churn prediction through Envoy and KServe's ModelServer, beside a plain booster called in this process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

import httpx
import numpy as np
import pandas as pd

from features.settings import Settings
from models.bundle import SIGNATURE
from models.inputs import kind_of
from models.tabular import Encoder
from serving.access.own import header
from serving.inference.rows import DATATYPES
from serving.released.split import Split
from serving.rollout.fleet import Fleet
from serving.rollout.processes import free_port, get
from tests.benchmarks.batch import plain, target, timed
from tests.benchmarks.champion import champion
from tests.benchmarks.rows import resampled

FAMILY, REQUESTS, WARM, SEED = "churn", 1000, 100, 13
UNIT = f"ms, one row over REST (V2), one client, {REQUESTS} requests; 95% bootstrap; baseline: plain xgboost in process"
QUANTILES = {"p50_ms": 0.5, "p99_ms": 0.99}


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Median and 99th percentile of one customer's answer, as a client waits for it."""
    with champion(FAMILY, settings) as (bundle, own):
        reference = bundle.reference()
        features = reference[list(bundle.manifest.columns)]
        chosen = np.random.default_rng(SEED).integers(0, len(features), WARM + REQUESTS)
        asked = features.iloc[chosen].reset_index(drop=True)
        fleet = Fleet(own, "127.0.0.1", 0, lambda family, version: bundle.folder)
        try:
            fleet.split(FAMILY, Split(champion=json.loads((bundle.folder / SIGNATURE).read_bytes())["version"]))
            served = through(fleet.url(FAMILY), asked, bundle.manifest.columns, header(own))
        finally:
            fleet.close()
        with peer(bundle.folder, own) as url:
            usual = through(url, asked, bundle.manifest.columns, {})
        beside = in_process(asked, features, target(reference, features))
    figures = {name: (resampled(served, q, SEED), float(np.quantile(beside, q))) for name, q in QUANTILES.items()}
    ratio = {
        "name": "serving.predict.p50_vs_kserve",
        "value": float(np.median(served) / np.median(usual)),
        "baseline": 1.0,
        "goal": "<= 1.5",
        "unit": "times what KServe's own ModelServer takes with the same model and rows, one client",
        "seed": SEED,
        "data_hash": bundle.manifest.data_hash,
    }
    return [ratio] + [
        {
            "name": f"serving.predict.{name}",
            "value": value,
            "low": low,
            "high": high,
            "baseline": baseline,
            "unit": UNIT,
            "seed": SEED,
            "data_hash": bundle.manifest.data_hash,
        }
        for name, ((value, low, high), baseline) in figures.items()
    ]


@contextmanager
def peer(folder: Path, settings: Settings) -> Iterator[str]:
    """The address of KServe's own ModelServer with this bundle's model, until it is left."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.peer_model", "--bundle", str(folder), "--port", str(port)]
    own = {"ADLOOP_HOME": str(settings.home), "ADLOOP_VERIFY_KEY": str(settings.verify_key)}
    with (settings.home / "peer.log").open("wb") as log:
        child = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
    try:
        until = monotonic() + 90
        while not get(port, f"/v2/models/{FAMILY}/ready"):
            if child.poll() is not None or monotonic() > until:
                raise RuntimeError((settings.home / "peer.log").read_text()[-2000:])
            sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    except httpx.HTTPStatusError as refused:
        raise RuntimeError((settings.home / "peer.log").read_text()[-2000:]) from refused
    finally:
        child.terminate()
        child.wait(30)


def through(url: str, asked: pd.DataFrame, dtypes: Mapping[str, str], given: Mapping[str, str]) -> list[float]:
    """Milliseconds of each request after the warm-up. Raises where one is not answered."""
    bodies = [json.dumps(request(row, dtypes)) for _, row in asked.astype(object).iterrows()]
    taken = []
    with httpx.Client(base_url=url, headers={"content-type": "application/json", **given}) as client:
        for body in bodies:
            begun = perf_counter()
            answer = client.post(f"/v2/models/{FAMILY}/infer", content=body)
            taken.append(1000 * (perf_counter() - begun))
            answer.raise_for_status()
    return taken[WARM:]


def request(row: "pd.Series[Any]", dtypes: Mapping[str, str]) -> dict[str, Any]:
    """One row as a request of the Open Inference Protocol, a tensor a feature."""
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": DATATYPES[kind_of(dtype)], "data": [_plain(row[name])]}
            for name, dtype in dtypes.items()
        ]
    }


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def in_process(asked: pd.DataFrame, features: pd.DataFrame, answers: np.ndarray) -> list[float]:
    """Milliseconds of each prediction of 200 plain trees, rows encoded beforehand."""
    encoder = Encoder.fit(features)
    booster = plain("xgboost", encoder.encode(features), answers, threads=1)
    matrix = encoder.encode(asked)
    return [1000 * timed(booster, matrix[[place]]) for place in range(len(matrix))][WARM:]

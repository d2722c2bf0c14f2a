"""MLflow's client, as the registry imports it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_client_over_http_adds_headers_without_importing_what_it_does_not_use() -> None:
    program = """
import sys
from models.lean_mlflow import MlflowClient
from mlflow.tracking.request_header.registry import resolve_request_headers
MlflowClient("http://127.0.0.1:1", "http://127.0.0.1:1")
print(*resolve_request_headers())
print(any(name in sys.modules for name in ("feast", "fastapi", "mlflow.genai.evaluation")))
from mlflow.genai.scorers import Scorer
"""
    command = [sys.executable, "-W", "error::UserWarning", "-c", program]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    *headers, imported = told.stdout.split()
    assert "User-Agent" in headers and imported == "False"

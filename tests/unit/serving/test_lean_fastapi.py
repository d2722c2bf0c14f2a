"""FastAPI as it is imported here: without `pydantic.v1`, and with all that an application asks of it."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
import serving
from fastapi import FastAPI
from fastapi.openapi.models import OpenAPI
from pydantic import BaseModel

class Model(BaseModel):
    number: int

assert Model.__pydantic_complete__ and not OpenAPI.__pydantic_complete__
app = FastAPI()
app.add_api_route("/new", lambda one: one, methods=["POST"], response_model=Model)
assert "#/components/schemas/Model" in str(app.openapi()) and OpenAPI.__pydantic_complete__
assert "pydantic.v1" not in sys.modules

from pydantic.v1 import BaseModel as OldModel
try:
    app.add_api_route("/old", lambda one: one, methods=["POST"], response_model=type("Old", (OldModel,), {}))
except Exception as refused:
    print(refused)
"""


def test_it_takes_no_pydantic_v1_and_still_refuses_models_of_it() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=True)
    assert "pydantic.v1 models are no longer supported" in done.stdout

"""Imports MLflow's client without Feast and FastAPI: `from models.lean_mlflow import MlflowClient`.

Asked over HTTP, MLflow loads the headers that installed packages add to its requests. Feast's, for data sources that
nothing here uses, imports all of Feast, which takes several times as long as MLflow, and would send the token of the
pod's service account. MLflow warns that it could not be loaded. Of FastAPI it takes an exception for its gateway to
language models. Its judges of what those say, a fifth of its own import, are left until something asks for them.
"""

import warnings

from starlette.exceptions import HTTPException

from features.lazy_imports import packages_always_lazily, standing_in, without

packages_always_lazily("mlflow.genai", "mlflow.genai.judges", "mlflow.genai.scorers")

with (
    without("feast.infra.data_sources.mlflow.auth"),
    standing_in("fastapi", HTTPException=HTTPException),
    warnings.catch_warnings(),
):
    warnings.filterwarnings("ignore", "Failure attempting to register request header provider", UserWarning)
    import mlflow.tracking.request_header.registry  # noqa: F401
    from mlflow import MlflowClient

__all__ = ["MlflowClient"]

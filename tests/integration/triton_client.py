"""Triton's client with its defaults, in a process of its own: its gRPC code and KServe's cannot be imported together.

`http|grpc PLACE HEADERS`: asks for the probe of `tests/integration` in several ways and prints what came, as JSON.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from tritonclient.utils import InferenceServerException

ROWS = {
    "recency": ("FP64", np.array([0.3, np.nan])),
    "orders": ("INT64", np.array([2, 3])),
    "member": ("BOOL", np.array([True, False])),
    "plan": ("BYTES", np.array(["gold", "größer"], dtype=object)),
}


def main() -> None:
    triton = import_module(f"tritonclient.{sys.argv[1]}")
    client, given = triton.InferenceServerClient(sys.argv[2]), json.loads(sys.argv[3])

    def infer(model: str = "probe", key: dict[str, str] = given, **asked: Any) -> Any:
        tensors = []
        for name, (datatype, values) in ROWS.items():
            tensors.append(triton.InferInput(name, list(values.shape), datatype))
            tensors[-1].set_data_from_numpy(values)
        found = client.infer(model, tensors, headers=dict(key), **asked)
        band = found.as_numpy("band")
        return [
            found.as_numpy("probability").tolist(),
            None if band is None else [str(one, "utf-8") if isinstance(one, bytes) else one for one in band],
        ]

    def wanted(*names: str, **how: Any) -> list[Any]:
        return [triton.InferRequestedOutput(name, **how) for name in names]

    asks: dict[str, Callable[[], Any]] = {
        "live": client.is_server_live,
        "ready": client.is_server_ready,
        "model_ready": lambda: [client.is_model_ready("probe"), client.is_model_ready("probe", "1")],
        "metadata": lambda: str(client.get_server_metadata()),
        "model_metadata": lambda: str(client.get_model_metadata("probe")),
        "plain": infer,
        "one_output": lambda: infer(outputs=wanted("probability")),
        "version": lambda: infer(model_version="1"),
        "named": lambda: infer(request_id="größe"),
        "claims": lambda: infer(key={**given, "x-adloop-version": "9", "x-model-name": "none"}),
        "unknown_version": lambda: infer(model_version="9"),
        "unknown_model": lambda: infer("nobody"),
        "no_key": lambda: infer(key={}),
        "load": lambda: client.load_model("probe"),
        "unload": lambda: client.unload_model("probe"),
        "index": client.get_model_repository_index,
    }
    if sys.argv[1] == "http":
        asks["json_output"] = lambda: infer(outputs=wanted("probability", "band", binary_data=False))
    print(json.dumps({name: _said(ask) for name, ask in asks.items()}))


def _said(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except InferenceServerException as refused:
        return f"refused: {refused}"


if __name__ == "__main__":
    main()

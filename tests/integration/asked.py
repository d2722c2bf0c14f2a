"""The same two rows for the probe, as each protocol has them."""

from kserve import InferInput, InferRequest

from tests.integration.triton_client import ROWS

INSTANCES = [
    {"recency": 0.3, "orders": 2, "member": True, "plan": "gold"},
    {"recency": None, "orders": 3, "member": False, "plan": "größer"},
]
PLAIN = {
    "inputs": [
        {"name": name, "shape": [2], "datatype": kind, "data": [row[name] for row in INSTANCES]}
        for name, (kind, _) in ROWS.items()
    ]
}


def request() -> InferRequest:
    """The rows in binary, as KServe makes tensors of them."""
    inputs = []
    for name, (datatype, values) in ROWS.items():
        inputs.append(InferInput(name, list(values.shape), datatype))
        inputs[-1].set_data_from_numpy(values)
    return InferRequest("probe", inputs)

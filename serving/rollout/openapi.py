"""The OpenAPI document of all endpoints of `adloop serve`."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import catalog
from serving.inference.values import ERROR

Schema = dict[str, Any]

#: Public paths of the servers beside the models, by their names; a trailing star matches a prefix.
BESIDE: Mapping[str, Sequence[str]] = {
    "decisions": ("/v1/decisions", "/v1/outcomes", "/v1/feedback"),
    "texts": (
        *("/v1/content/drafts", "/v1/content/*"),
        *("/v1/listening/*", "/v1/conversations", "/v1/conversations/*", "/v1/campaigns/*", "/v1/images/*"),
    ),
}
_TEXT: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}
_ERROR: Schema = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
_TYPES: Mapping[str, Schema] = {
    "FP64": {"type": ["number", "null"]},
    "INT64": {"type": "integer"},
    "BOOL": {"type": ["boolean", "null"]},
    "BYTES": {"type": ["string", "null"]},
}
_LISTS: Mapping[str, Schema] = {
    "vector": {"type": ["array", "null"], "items": {"type": "number"}},
    "candidates": {"type": ["array", "null"], "items": _TEXT},
}
_REFUSED = {
    400: "The body is not a valid request; the response names the field.",
    404: "The model, its version or every id is unknown.",
    413: "The body is too large.",
    415: "The body is compressed.",
    503: "The online store is unavailable.",
}
_KEYED = {401: "The key is missing or unknown.", 403: "The key lacks the scope or the family."}


def of(found: Mapping[str, Any], keyed: bool) -> Schema:
    """Build the document.

    Args:
        found: the documents of the servers beside the models, and the V2 metadata of each family.
        keyed: whether models require a key.
    """
    whole: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "adloop", "version": "1"},
        "paths": {},
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }
    for name in BESIDE.keys() & found.keys():
        for part, named in found[name].get("components", {}).items():
            whole["components"][part] = whole["components"].get(part, {}) | named
        whole["paths"] |= {path: route for path, route in found[name]["paths"].items() if _public(path, BESIDE[name])}
    for family, about in sorted(found.items()):
        if family not in BESIDE:
            whole["paths"] |= _family(family, about, keyed)
    whole["paths"]["/health/live"] = _get("live", "Liveness.")
    whole["paths"]["/health/ready"] = ready = _get("ready", "Readiness, and the faults with their causes.")
    ready["get"]["responses"]["503"] = _answer("A part is not ready.", _OBJECT)
    return whole


def _public(path: str, paths: Sequence[str]) -> bool:
    return any(path.startswith(one[:-1]) if one.endswith("*") else path == one for one in paths)


def _family(name: str, about: Mapping[str, Any], keyed: bool) -> Schema:
    """The paths of a family: predictions and explanations (V1), tensors, metadata and readiness (V2)."""
    kinds = catalog.family(name).kinds
    inputs = {one["name"]: _LISTS.get(kinds.get(one["name"], ""), _TYPES[one["datatype"]]) for one in about["inputs"]}
    outputs = {one["name"]: {} if one["datatype"] == "BYTES" else _TYPES[one["datatype"]] for one in about["outputs"]}
    rows = {"predictions": {"type": "array", "items": {"anyOf": [_whole(outputs), _ERROR]}}}
    explained = {**rows, "explanations": {"type": "array", "items": _OBJECT}}
    asked, v1, v2 = _instances(name, inputs), f"/v1/models/{name}", f"/v2/models/{name}"
    tensors = _whole({"inputs": {"type": "array", "minItems": 1, "items": _tensor(about["inputs"])}})
    output_tensors = {"type": "array", "items": _tensor([*about["outputs"], {"name": ERROR, "datatype": "BYTES"}])}
    response = _whole({"id": _TEXT, "model_name": _TEXT, "model_version": _TEXT, "outputs": output_tensors})
    return {
        f"{v1}:predict": _post(f"predict_{name}", f"Predictions of {name}, one per row.", asked, _whole(rows), keyed),
        f"{v1}:explain": _post(f"explain_{name}", "Predictions with explanations.", asked, _whole(explained), keyed),
        f"{v2}/infer": _post(
            f"infer_{name}", "Predictions as tensors (Open Inference Protocol).", tensors, response, keyed
        ),
        v2: _get(f"about_{name}", "Metadata: input and output tensors."),
        f"{v2}/ready": _get(f"ready_{name}", "Readiness."),
    }


def _tensor(known: Sequence[Mapping[str, str]]) -> Schema:
    """A tensor with one of these names; others are ignored."""
    names, whole = {"type": "string", "examples": [one["name"] for one in known]}, {"type": "integer", "minimum": 0}
    shape = {"type": "array", "minItems": 1, "maxItems": 3, "items": whole}
    return _whole({"name": names, "shape": shape, "datatype": _TEXT, "data": {"type": "array", "items": {}}})


def _instances(name: str, inputs: Mapping[str, Schema]) -> Schema:
    """Rows of features, or of ids (and request context) whose features are looked up."""
    family = catalog.family(name)
    one = {"type": ["string", "integer"]}
    if family.entity is None or family.feature_service is None:
        return _whole({"instances": {"type": "array", "minItems": 1, "items": _whole(inputs)}})
    by_id = {family.entity: one, **{context: inputs[context] for context in family.context if context in inputs}}
    kinds = [_whole({**by_id, family.entity: one}), _whole(inputs)]
    return _whole({"instances": {"anyOf": [{"type": "array", "minItems": 1, "items": kind} for kind in kinds]}})


def _whole(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def _post(operation: str, summary: str, asked: Schema, answer: Schema, keyed: bool) -> Schema:
    refused = _REFUSED | (_KEYED if keyed else {})
    answers = {"200": _answer("Answered.", answer)}
    answers |= {str(status): _answer(text, _ERROR) for status, text in sorted(refused.items())}
    body = {"required": True, "content": {"application/json": {"schema": asked}}}
    route = {"operationId": operation, "summary": summary, "requestBody": body, "responses": answers}
    return {"post": {**route, "security": [{"key": []}] if keyed else []}}


def _get(operation: str, summary: str) -> Schema:
    return {"get": {"operationId": operation, "summary": summary, "responses": {"200": _answer("Told.", _OBJECT)}}}


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}

"""A bundle as a KServe model: parses requests, looks up features, predicts, explains, and logs."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any

import pandas as pd
from kserve.errors import InvalidInput
from kserve.metrics import EXPLAIN_HIST_TIME, PREDICT_HIST_TIME, get_labels
from kserve.model import InferenceModel, InferenceVerb
from kserve.protocol.infer_type import InferRequest, InferResponse

from features import store
from features.settings import Settings
from models import catalog
from models.bundle import Bundle
from models.family import Explaining
from models.inputs import InvalidRows
from serving.inference import answers as says
from serving.inference.door import Gate
from serving.inference.errors import NotExplained, RequestError, StoreGone, UnknownId
from serving.inference.lookup import Lookup
from serving.inference.requests import Request, RequestLog
from serving.inference.rows import DATATYPES, InputSchema, ParsedRequest
from serving.inference.values import is_text, safe_text
from serving.records.export import Export

VERSION_HEADER, ID_HEADER = "x-model-version", "x-request-id"
LONGEST_ID = 256


class Endpoint(InferenceModel):  # type: ignore[misc]
    """Serves one bundle. Predictions run in a thread, so that a slow model does not block health checks."""

    def __init__(self, name: str, version: str, bundle: Bundle, settings: Settings) -> None:
        super().__init__(name)
        self.version, self.bundle, self.settings = version, bundle, settings
        family, columns = catalog.family(bundle.manifest.family), bundle.manifest.columns
        context = tuple(name for name in family.context if name in columns)
        self.schema = InputSchema(family.entity, bundle.manifest.inputs, context)
        self.gate = Gate(name, settings)
        self.log = RequestLog(settings.home, name, version, settings.requests_days)
        self._export = None if settings.records_uri is None else Export(settings, settings.records_uri)
        self._features = Lookup(bundle.manifest, self.schema, settings)
        self.sample = self._warm()
        self.ready = True

    async def __call__(
        self,
        body: dict[str, Any] | InferRequest,
        headers: dict[str, str] | None = None,
        verb: InferenceVerb = InferenceVerb.PREDICT,
    ) -> tuple[dict[str, Any] | InferResponse, dict[str, str]]:
        call = Call(request_id(body, headers or {}))
        try:
            explain = verb is InferenceVerb.EXPLAIN or wants_explanation(body)
            if explain:  # the parameter is in the body, which the door does not read
                self.gate.check(headers or {}, "explain")
                if not isinstance(self.bundle.model, Explaining):
                    raise NotExplained(f"{self.name} gives no explanations")
            histogram = EXPLAIN_HIST_TIME if explain else PREDICT_HIST_TIME
            with histogram.labels(**get_labels(self.name)).time():
                answers, explanations = await asyncio.to_thread(self._answer, body, explain, call)
        except InvalidRows as wrong:
            call.failed(400, safe_text(wrong))
            raise InvalidInput(safe_text(wrong)) from wrong
        except RequestError as refused:
            call.failed(refused.http_status, refused.details)
            raise
        except BaseException as broken:
            call.failed(500, f"{type(broken).__name__}: {broken}")
            raise
        finally:
            self.log.append(call.record())
        response = self._response(body, call, answers, explanations)
        return response, {VERSION_HEADER: self.version, **says.in_headers(ID_HEADER, call.request_id)}

    def get_input_types(self) -> list[dict[str, Any]]:
        """Feature tensors for the V2 metadata."""
        return [
            {"name": n, "datatype": DATATYPES[k], "shape": [-1, -1] if k == "vector" else [-1]}
            for n, k in self.schema.columns.items()
        ]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Answer tensors for the V2 metadata."""
        return [{"name": n, "datatype": says.datatype(self.sample[n]), "shape": [-1]} for n in self.sample]

    def close(self) -> None:
        """Write the rest of the log. Not `stop`, which KServe calls in a signal handler, where locks must not be taken
        (see `serving/rollout/stopping.py`), and before the last answer."""
        self.log.close()
        if self._export is not None:
            self._export.close()

    def _answer(self, body: object, explain: bool, call: "Call") -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Answers and explanations of the known rows; fills in `call`."""
        parsed = self._read(body)
        call.ids = parsed.ids
        if parsed.rows is not None:
            rows = parsed.rows
        else:
            rows, call.unknown = self._looked_up(parsed)
        call.rows = rows
        call.answers = self.bundle.model.predict(rows)
        model = self.bundle.model
        return call.answers, model.explain(rows) if explain and isinstance(model, Explaining) else None

    def _read(self, body: object) -> ParsedRequest:
        try:
            return self.schema.read(body)
        except RecursionError as deep:
            raise InvalidRows("body", "values that are not nested", "values that are nested less deeply") from deep

    def _looked_up(self, parsed: ParsedRequest) -> tuple[pd.DataFrame, dict[int, str]]:
        """As `Lookup.rows`. Raises `UnknownId` where no id has features."""
        try:
            rows, unknown = self._features.rows(parsed)
        except store.OnlineStoreUnavailable as gone:
            raise StoreGone(f"the online store does not answer: {gone}") from gone
        if rows.empty:
            raise UnknownId(unknown[0])
        return rows, unknown

    def _response(
        self, body: dict[str, Any] | InferRequest, call: "Call", answers: pd.DataFrame, why: pd.DataFrame | None
    ) -> dict[str, Any] | InferResponse:
        if isinstance(body, InferRequest):
            answers = answers if why is None else answers.join(why, rsuffix="_explained")
            return says.to_response(body, call.request_id, self.version, answers, call.unknown)
        response: dict[str, Any] = {"predictions": says.to_predictions(answers, call.unknown)}
        if why is not None:
            response["explanations"] = says.to_predictions(why, call.unknown)
        return response

    def _warm(self) -> pd.DataFrame:
        """Predict one reference row and open the store, so that the first client does not pay for imports."""
        self._features.open()
        rows = self.bundle.reference()[list(self.schema.columns)].head(1)
        return self.bundle.model.predict(rows)


class Call:
    """Context of one request, filled in while it runs."""

    def __init__(self, request_id: str) -> None:
        self.request_id, self.started, self.occurred_at = request_id, time.perf_counter(), time.time()
        self.status = 200
        self.error: str | None = None
        self.ids: list[str] | None = None
        self.rows: pd.DataFrame | None = None
        self.answers: pd.DataFrame | None = None
        self.unknown: dict[int, str] = {}

    def failed(self, status: int, error: str) -> None:
        self.status, self.error = status, error

    def record(self) -> Request:
        """The record for the request log."""
        latency = (time.perf_counter() - self.started) * 1000
        outcome = (self.status, self.error, self.ids)
        rows, answers = (None if one is None else says.spread(one, self.unknown) for one in (self.rows, self.answers))
        return Request(self.request_id, self.occurred_at, latency, *outcome, rows, answers, self.unknown)


def request_id(body: object, headers: Mapping[str, str]) -> str:
    """The client's own id (V2 body, then header), else a new one. Outcomes are joined by it.

    Raises `InvalidInput` for an unusable id.
    """
    given = body.id if isinstance(body, InferRequest) else None
    given = given or headers.get(ID_HEADER) or str(uuid.uuid4())
    if not isinstance(given, str) or len(given) > LONGEST_ID or not is_text(given):
        raise InvalidInput(f"id: expected text of up to {LONGEST_ID} characters without control characters")
    return given


def wants_explanation(body: object) -> bool:
    """Whether a V2 request has the parameter `explain`."""
    if not isinstance(body, InferRequest) or not body.parameters:
        return False
    value = body.parameters.get("explain", False)
    return bool(getattr(value, "bool_param", value))

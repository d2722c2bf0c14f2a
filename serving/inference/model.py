"""A bundle as a KServe model: reads the request, looks features up, answers, explains, and logs."""

import asyncio
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pandas as pd
from kserve import InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.metrics import EXPLAIN_HIST_TIME, PREDICT_HIST_TIME, get_labels
from kserve.model import InferenceModel, InferenceVerb

from features import store
from features.settings import Settings
from models import catalog
from models.bundle import Bundle
from models.family import InvalidRows
from serving.inference import answers as says
from serving.inference import outcomes
from serving.inference.errors import Refused, StoreGone, UnknownId
from serving.inference.requests import Record, RequestLog, folder
from serving.inference.rows import DATATYPES, Schema, kind

VERSION_HEADER, ID_HEADER = "x-model-version", "x-request-id"


class Endpoint(InferenceModel):  # type: ignore[misc]
    """Answers for one bundle, in a thread: a slow model must not stop the server from saying that it lives."""

    def __init__(self, name: str, version: str, bundle: Bundle, settings: Settings) -> None:
        super().__init__(name)
        self.version, self.bundle, self.settings = version, bundle, settings
        family, columns = catalog.family(bundle.manifest.family), bundle.manifest.columns
        context = tuple(name for name in family.context if name in columns)
        self.schema = Schema(family.entity, {name: kind(dtype) for name, dtype in columns.items()}, context)
        known = outcomes.folder(settings.home, name)
        self.log = RequestLog(folder(settings.home, name), version, settings.requests_days, [known])
        self._store, self._one_reader = store.Online(settings), threading.Lock()
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
            histogram = EXPLAIN_HIST_TIME if explain else PREDICT_HIST_TIME
            with histogram.labels(**get_labels(self.name)).time():
                answers, explanations = await asyncio.to_thread(self._answer, body, explain, call)
        except InvalidRows as wrong:
            call.failed(400, str(wrong))
            raise InvalidInput(str(wrong)) from wrong
        except Refused as refused:
            call.failed(refused.http_status, refused.details)
            raise
        except BaseException as broken:
            call.failed(500, f"{type(broken).__name__}: {broken}")
            raise
        finally:
            self.log.append(call.record())
        response = self._response(body, call.request_id, answers, explanations)
        return response, {VERSION_HEADER: self.version, ID_HEADER: call.request_id}

    def get_input_types(self) -> list[dict[str, Any]]:
        """The features as tensors, for the V2 metadata."""
        return [{"name": n, "datatype": DATATYPES[k], "shape": [-1]} for n, k in self.schema.columns.items()]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The answers as tensors, for the V2 metadata."""
        return [{"name": n, "datatype": says.datatype(self.sample[n]), "shape": [-1]} for n in self.sample]

    def stop(self) -> None:
        """Write the rest of the log; KServe calls this when it has been told to stop."""
        super().stop()
        self.log.close()

    def _answer(self, body: object, explain: bool, call: "Call") -> tuple[pd.DataFrame, pd.DataFrame | None]:
        asked = self.schema.read(body)
        call.ids = asked.ids
        call.rows = rows = asked.rows if asked.rows is not None else self._look_up(asked.ids or [], asked.context)
        call.answers = self.bundle.model.predict(rows)
        return call.answers, self.bundle.model.explain(rows) if explain else None

    def _look_up(self, ids: list[str], context: pd.DataFrame | None) -> pd.DataFrame:
        try:
            with self._one_reader:
                found = self._store.read(self.bundle.manifest.feature_service, ids)
        except store.UnknownEntity as unknown:
            raise UnknownId(f"{self.schema.entity}: {unknown}") from unknown
        except store.StoreUnavailable as gone:
            raise StoreGone(f"the online store does not answer: {gone}") from gone
        # A champion outlives the data it was trained on: what is published no more is missing to it.
        rows: pd.DataFrame = found.reindex(columns=list(self.schema.columns)).reset_index(drop=True)
        return rows if context is None else rows.assign(**{str(name): context[name] for name in context})

    def _response(
        self, body: dict[str, Any] | InferRequest, request_id: str, answers: pd.DataFrame, why: pd.DataFrame | None
    ) -> dict[str, Any] | InferResponse:
        if isinstance(body, InferRequest):
            answers = answers if why is None else answers.join(why, rsuffix="_explained")
            return says.to_response(body, request_id, self.version, answers)
        response: dict[str, Any] = {"predictions": says.to_predictions(answers)}
        if why is not None:
            response["explanations"] = says.to_predictions(why)
        return response

    def _warm(self) -> pd.DataFrame:
        """Answer one reference row, and open the store, before a client asks: who is first pays for imports."""
        with suppress(store.UnknownEntity, store.StoreUnavailable):
            self._store.read(self.bundle.manifest.feature_service, [""])
        rows = self.bundle.reference()[list(self.schema.columns)].head(1)
        return self.bundle.model.predict(rows)


class Call:
    """What is known of one request so far."""

    def __init__(self, request_id: str) -> None:
        self.request_id, self.started, self.occurred_at = request_id, time.perf_counter(), time.time()
        self.status = 200
        self.error: str | None = None
        self.ids: list[str] | None = None
        self.rows: pd.DataFrame | None = None
        self.answers: pd.DataFrame | None = None

    def failed(self, status: int, error: str) -> None:
        self.status, self.error = status, error

    def record(self) -> Record:
        """As the request log keeps it."""
        latency = (time.perf_counter() - self.started) * 1000
        said = (self.status, self.error, self.ids, self.rows, self.answers)
        return Record(self.request_id, self.occurred_at, latency, *said)


def request_id(body: object, headers: Mapping[str, str]) -> str:
    """The client's own id if it gave one (V2 body, then header), else a new one: outcomes are joined by it."""
    given = body.id if isinstance(body, InferRequest) else None
    return given or headers.get(ID_HEADER) or str(uuid.uuid4())


def wants_explanation(body: object) -> bool:
    """Whether a V2 request asks for an explanation by its parameter `explain`."""
    if not isinstance(body, InferRequest) or not body.parameters:
        return False
    value = body.parameters.get("explain", False)
    return bool(getattr(value, "bool_param", value))

"""Rows of features by id, from the online store, as a model reads them."""

import threading
from contextlib import suppress

import pandas as pd

from features import store
from features.settings import Settings
from models.bundle import Manifest
from models.inputs import EXPECTED, InvalidRows
from serving.inference.rows import InputSchema, ParsedRequest


class Lookup:
    """Looks up features for the model of a bundle. May be used by several threads."""

    def __init__(self, manifest: Manifest, schema: InputSchema, settings: Settings) -> None:
        self._service, self._schema = manifest.feature_service, schema
        self._store, self._one_reader = store.Online(settings), threading.Lock()

    def open(self) -> None:
        """Open the store, if it is there, so that the first request does not pay for imports."""
        if self._service is not None:
            with suppress(store.OnlineStoreUnavailable):
                self._store.rows(self._service, [""])

    def rows(self, parsed: ParsedRequest) -> tuple[pd.DataFrame, dict[int, str]]:
        """The rows of ids that have features, with the context of the request, and the other ids' errors by position.

        Raises `InvalidRows` where the model reads no features by id, and `OnlineStoreUnavailable`.
        """
        if self._service is None:
            missing = next(iter(self._schema.columns))
            raise InvalidRows(missing, EXPECTED[self._schema.columns[missing]], "no such feature in the request")
        ids = parsed.ids or []
        with self._one_reader:
            found, known = self._store.rows(self._service, ids)
        unknown = {
            place: f"{self._schema.entity}: no features are known for '{one}'"
            for place, one in enumerate(ids)
            if not known[place]
        }
        # A champion may need features that are no longer published; they are missing then.
        rows: pd.DataFrame = found.reindex(columns=list(self._schema.columns))
        if parsed.context is not None:
            rows = rows.assign(**{str(name): parsed.context[name] for name in parsed.context})
        return rows[known].reset_index(drop=True), unknown

"""The usual way to serve a model: KServe's own ModelServer around it, with no Envoy, keys, log or monitor."""

import argparse
from pathlib import Path
from typing import Any

import kserve
import numpy as np
import pandas as pd
from kserve import InferOutput, InferRequest, InferResponse

from features.settings import Settings
from models.bundle import open_bundle
from models.keys import public_key


class Peer(kserve.Model):  # type: ignore[misc]
    """The model of a bundle, asked by frames."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        bundle = open_bundle(folder, public_key(settings))
        super().__init__(bundle.manifest.family)
        self._model, self._columns = bundle.model, bundle.manifest.columns
        self.ready = True

    def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        rows = pd.DataFrame({one.name: one.data for one in payload.inputs})
        answers = self._model.predict(rows[list(self._columns)].astype(dict(self._columns)))
        outputs = []
        for name in answers:
            values = answers[name].to_numpy()
            number = np.issubdtype(values.dtype, np.number)
            output = InferOutput(name, [len(values)], "FP64" if number else "BYTES")
            output.set_data_from_numpy(values.astype(np.float64 if number else np.object_), binary_data=False)
            outputs.append(output)
        return InferResponse(payload.id or "1", self.name, outputs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    server = kserve.ModelServer(
        http_port=args.port, workers=1, enable_grpc=False, enable_latency_logging=False, access_log_format=None
    )
    server.start([Peer(args.bundle, Settings())])


if __name__ == "__main__":
    main()

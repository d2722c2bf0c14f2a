"""The usual way: KServe's ModelServer, Feast's `get_online_features` from Feast's own store, and the same decision."""

import argparse
import json
from pathlib import Path
from typing import Any

import kserve
import numpy as np
import pandas as pd
import yaml

from features import offline, online
from features.online_metadata import online_metadata
from features.settings import Settings
from models.bundle import open_bundle
from models.keys import public_key
from serving.decisions.decide import answered, decide
from serving.decisions.kinds.bid import Auction
from serving.decisions.params import DecisionParams
from serving.decisions.records import Action, Predictions
from serving.decisions.state.configured import state_store
from serving.decisions.state.store import Reservation
from tests.benchmarks import bidders


class Peer(kserve.Model):
    """A KServe model that decides."""

    def __init__(self, models: Path, place: str, settings: Settings, params: DecisionParams) -> None:
        super().__init__("bids")
        self._params, self._state = params, state_store(settings, params)
        self._models = [open_bundle(models / name, public_key(settings)).model for name in bidders.SAYS]
        (snapshot, *_) = online._served(online_metadata(settings), bidders.SERVICE)
        folder = settings.home / "feast"
        folder.mkdir()
        (folder / "registry.db").write_bytes(online._registry(snapshot, settings))
        self._feast = offline.feature_store(snapshot, folder, {"type": "redis", "connection_string": place})
        as_of = pd.Timestamp(snapshot.as_of, tz="UTC").to_pydatetime()
        with offline.engine(snapshot, settings):
            self._feast.materialize(start_date=as_of, end_date=as_of)
        self._service = self._feast.get_feature_service(bidders.SERVICE)
        self.ready = True

    def predict(self, payload: dict[str, Any], headers: Any = None, response_headers: Any = None) -> dict[str, Any]:
        asked = Auction(**payload["instances"][0])
        found = self._feast.get_online_features(self._service, [{"customer_id": asked.customer_id}]).to_dict()
        said = {name: value for name, (value,) in found.items()}
        for model in self._models:
            row = np.array([[said[name] for name in model.encoder.names]], dtype=np.float32)
            said |= {name: float(answer[0]) for name, answer in model.answer(row).items()}
        predictions = Predictions({name: said[name] for names in bidders.SAYS.values() for name in names})
        (state,) = self._state.load([asked], "")
        made = decide(asked, predictions, state, self._params, 1)
        grant = None
        if made.action is Action.BID:
            wanted = Reservation(asked.opportunity_id, made.account_id, made.campaign_id, made.amount, made.decided_at)
            (grant,) = self._state.reserve([wanted])
        decision = answered(made, grant)
        return {"predictions": [{"action": decision.action, "amount": decision.amount, "reason": decision.reason}]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--feast", required=True, help="Feast's connection string of its own Redis store")
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    bidders.install()
    params = DecisionParams.model_validate_json(json.dumps(yaml.safe_load(args.params.read_text())["decisions"]))
    server = kserve.ModelServer(
        http_port=args.port, workers=1, enable_grpc=False, enable_latency_logging=False, access_log_format=None
    )
    server.start([Peer(args.models, args.feast, Settings(), params)])


if __name__ == "__main__":
    main()

"""The champion of bidding: what its policy would bid, beside what the advertiser's own rule would."""

from collections.abc import Mapping

import numpy as np

from models.bidding import frame
from models.bidding.model import BiddingModel, Known
from models.bundle import Bundle
from models.vectors import Floats
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix
from serving.decisions.predict.predictor import Ask, reads


class Bidder:
    """Asked by arrays instead of frames. Its policy leaves nothing to chance: varied bids are the engine's doing.

    The advertiser's rule is linear: the target cost of a click times the chance of one, as whoever asks predicted it;
    for a campaign without a target, the bid that stands on the platform. Where nobody knows how many auctions are left
    the policy, which could not pace, bids by that rule.
    """

    def __init__(self, bundle: Bundle, version: str) -> None:
        about, model = bundle.manifest, bundle.model
        if not isinstance(model, BiddingModel):
            raise TypeError(f"expected a model of bidding, got {type(model).__name__}")
        self.family, self.version, self._model = about.family, version, model
        self.service, self.entity = reads(bundle)
        clicks = about.params["goal"] == "clicks"
        #: What a caller's prediction of a click is called, and what the model's worth of an impression is.
        self._chance, self._worth = (
            ("predicted_value", "predicted_ctr") if clicks else ("predicted_ctr", "expected_value")
        )
        own = dict.fromkeys((self._chance, "target_cpc", "current_bid"), "float64")
        self.columns: Mapping[str, str] = {**own, **about.columns}
        self.says = frozenset({"policy_bid", "policy_propensity", "baseline_bid", self._worth})

    def bound(self, columns: Columns) -> Ask:
        return self._answer

    def _answer(self, matrix: FeatureMatrix) -> Mapping[str, Floats]:
        campaigns, channels = ([text or "" for text in matrix.texts[name]] for name in (frame.ENTITY, "channel"))
        seen = frame.observation({name: matrix.column(name) for name in frame.NUMBERS}, campaigns, channels)
        known = Known.told(matrix.column(frame.PRICE), matrix.column(frame.PRICES))
        target = matrix.column("target_cpc") * matrix.column(self._chance)
        rule = np.where(np.isnan(target), matrix.column("current_bid"), target)
        return {
            "policy_bid": np.where(np.isnan(matrix.column("remaining")), rule, self._model.bid(seen, known)),
            "policy_propensity": np.ones(len(seen)),
            "baseline_bid": rule,
            self._worth: self._model.expected_value(seen),
        }

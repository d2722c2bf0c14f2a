"""The pacing bid, adjusted by a deep Q-network where its heads agree that this wins more."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.dqn.graph import graph, layers, widened
from models.bidding.dqn.state import KEEP, TURNS, features
from models.bidding.dqn.training import Study, train
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import Document
from models.bidding.policies.chance import draw

#: An adjustment must beat the unchanged bid by this many standard deviations between the heads.
CAUTION = 1.0


class NetworkScope(Document):
    """The markets that the network's states are relative to, and the channels with a branch each."""

    markets: Mapping[str, Market]
    channels: tuple[str, ...] = ("",)


class Dqn:
    """Bids greedily and cautiously; `explore` bids by one sampled head and returns the propensity."""

    def __init__(self, markets: Markets, channels: Sequence[str], network: onnx.ModelProto) -> None:
        self.markets, self.channels, self.network = markets, tuple(channels), network
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            network.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, study: Study, before: Self | None = None) -> Self:
        """Train on logged episodes, starting from the networks of `before`; see `dqn.training.train`."""
        known = None
        if before is not None:
            episodes = episodes.among(before.channels)
            known = widened(layers(before.network), len(episodes.channels))
        learnt = train(episodes, markets, study, known)
        return cls(markets, episodes.channels, graph(learnt))

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        found = self._answers(seen)
        better = found - found[..., KEEP : KEEP + 1]
        score = better.mean(axis=0) - CAUTION * better.std(axis=0)
        return self._turned(seen, _peak(score))

    def explore(self, seen: Observation, seed: int) -> tuple[Floats, Floats]:
        """Bids by the best action of a head sampled for each auction, and the propensity: that action's share of heads.

        Exploration ends where all heads agree.
        """
        best = self._answers(seen).argmax(axis=-1)
        rows = np.arange(len(seen))
        taken = best[(draw(seen, seed) * len(best)).astype(np.int64), rows]
        return self._turned(seen, TURNS[taken]), np.asarray((best == taken).mean(axis=0))

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `network.onnx`."""
        NetworkScope(markets=self.markets, channels=self.channels).save(folder)
        (folder / "network.onnx").write_bytes(self.network.SerializeToString())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        known = NetworkScope.load(folder)
        return cls(known.markets, known.channels, onnx.load(str(folder / "network.onnx")))

    def _answers(self, seen: Observation) -> npt.NDArray[np.float32]:
        """Q of each auction's channel, of (heads, episodes, turns); the mean of all for an unknown channel."""
        found: npt.NDArray[np.float32] = self.session.run(["q"], {"state": features(self.markets, seen)})[0]
        found = found.reshape(*found.shape[:2], -1, len(TURNS))  # networks from before there were branches have none
        place = {name: branch for branch, name in enumerate(self.channels)}
        branch = np.array([place.get(name, len(place)) for name in seen.channels])[seen.channel]
        if not place.keys() >= set(seen.channels):
            found = np.concatenate([found, found.mean(axis=2, keepdims=True)], axis=2)
        return np.asarray(found[:, np.arange(len(seen)), branch])

    def _turned(self, seen: Observation, turn: Floats) -> Floats:
        return np.asarray(market.paced(self.markets, seen) * np.exp(turn))


def _peak(score: npt.NDArray[np.float32]) -> Floats:
    """The maximum of a parabola through the best action and its neighbours, for a continuous adjustment."""
    best = score.argmax(axis=1)
    inner = np.clip(best, 1, len(TURNS) - 2)
    rows = np.arange(len(score))
    left, middle, right = (score[rows, inner + step].astype(float) for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    offset = np.where((best == inner) & (bend < 0), (left - right) / np.where(bend < 0, 2 * bend, 1.0), 0.0)
    return np.asarray(TURNS[best] + offset * (TURNS[1] - TURNS[0]))

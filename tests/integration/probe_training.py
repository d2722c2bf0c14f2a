"""Trains the bidding network as one of the processes of torchrun: `probe_training OUT [ROUND]`, killed in ROUND.

Each has a folder of its own, `OUT/RANK`.
"""

import os
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np

from models.bidding import market as markets
from models.bidding.dqn import training
from models.bidding.dqn.experience import Experience, gather
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule, Study
from tests.unit.models.bidding.logs import market

SCHEDULE, SEED = Schedule(rounds=3, episodes=8, steps=40), 7


def train(out: Path, killed: int | None = None) -> list[np.ndarray]:
    """The layers; with a checkpoint in `out`."""
    episodes, left = market(seed=1), iter(range(SCHEDULE.rounds))

    def playing(*given: object) -> Experience:
        if next(left) == killed:
            os._exit(9)
        return gather(*given)  # type: ignore[arg-type]

    with patch.object(training, "gather", playing):
        return training.train(episodes, markets.fit(episodes), Study(SCHEDULE, Reward(), SEED, out))


if __name__ == "__main__":
    out = Path(sys.argv[1]) / os.environ["RANK"]
    layers = train(out, int(sys.argv[2]) if len(sys.argv) > 2 else None)
    np.savez(out / "layers.npz", *layers)

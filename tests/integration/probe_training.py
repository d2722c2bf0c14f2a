"""Trains the bidding network as one of the processes of torchrun, `probe_training OUT PORT PORT`: at one go, then until
it is killed in the last round, and on from what that has left.

Each process has a folder of its own, `OUT/RANK`, and is three in turn: forks, as torch takes most of the time to
import. torchrun tells the first ones where to meet, the ports the others.
"""

import os
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from models.bidding import market as markets
from models.bidding.dqn import training
from models.bidding.dqn.experience import Experience, gather
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.training import Schedule, Study
from tests.unit.models.bidding.logs import market

SCHEDULE, SEED = Schedule(rounds=2, episodes=8, steps=40), 7


def train(out: Path, killed: int | None = None) -> list[np.ndarray]:
    """The layers; with a checkpoint in `out`."""
    episodes, left = market(seed=1), iter(range(SCHEDULE.rounds))

    def playing(*given: object) -> Experience:
        if next(left) == killed:
            os._exit(9)
        return gather(*given)  # type: ignore[arg-type]

    with patch.object(training, "gather", playing):
        return training.train(episodes, markets.fit(episodes), Study(SCHEDULE, Reward(), SEED, out))


def forked(out: Path, name: str, killed: int | None = None, port: str | None = None) -> int:
    """The exit code of a process that trains in `out` and writes the layers as `name` beside it."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if port is not None:
        os.environ |= {"MASTER_PORT": port, "TORCHELASTIC_USE_AGENT_STORE": "False"}
    np.savez(out.parent / name, *train(out, killed))
    torch.distributed.destroy_process_group()
    os._exit(0)


if __name__ == "__main__":
    own = Path(sys.argv[1]) / os.environ["RANK"]
    assert forked(own / "whole", "whole.npz") == 0
    assert forked(own / "killed", "none.npz", SCHEDULE.rounds - 1, sys.argv[2]) != 0
    shutil.copytree(own / "killed", own / "left")
    assert forked(own / "killed", "resumed.npz", port=sys.argv[3]) == 0

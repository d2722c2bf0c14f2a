"""The bidding network learns in several processes of torchrun what it learns in one."""

import signal
from pathlib import Path

import numpy as np
import pytest

from models.bidding import market as markets
from models.bidding.dqn.graph import graph
from models.bidding.evaluation import compare
from models.bidding.policies.dqn import Dqn
from models.bidding.policies.pacing import Pacing
from tests.integration import probe_training as probe
from tests.integration.servers import free_ports
from tests.unit.models.bidding.logs import market


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of two processes."""
    out = tmp_path_factory.mktemp("trained")
    torchrun("2", "-m", "tests.integration.probe_training", str(out), *map(str, free_ports(2)))
    return out


@pytest.mark.timeout(900)
def test_processes_that_were_killed_end_in_the_same_networks(trained: Path) -> None:
    assert [file.relative_to(trained) for file in trained.glob("*/left/*")] == [Path("0/left/dqn.npz")]
    with np.load(trained / "0" / "left" / "dqn.npz") as left:
        assert left["done"] == probe.SCHEDULE.rounds - 1
    for one, other in zip(layers(trained, "whole"), layers(trained, "resumed"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.timeout(900)
def test_two_processes_learn_as_well_as_one(trained: Path, tmp_path: Path) -> None:
    learnt = layers(trained, "whole")
    alone = probe.train(tmp_path)
    assert any((one != other).any() for one, other in zip(alone, learnt, strict=True)), "each plays episodes of its own"

    known = markets.fit(market(seed=1))
    policies = {
        "alone": Dqn(known, [""], graph(alone)),
        "two": Dqn(known, [""], graph(learnt)),
        "start": Pacing.fit(known),
    }
    compared = compare(policies, market(seed=2, count=40), known, (1 / 16, 1 / 4), probe.SEED)
    assert compared.against("two", "alone").value == pytest.approx(1, abs=0.03)
    assert compared.against("two", "start").value > 0.97


def layers(out: Path, name: str) -> list[np.ndarray]:
    """What two processes have learnt: the same."""
    first, second = (np.load(out / str(rank) / f"{name}.npz") for rank in (0, 1))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    return list(first.values())


def torchrun(processes: str, *command: str) -> None:
    """What `torchrun` does; by its own function, as its process would import torch once more. Leaves signals as they
    were.
    """
    from torch.distributed.run import main

    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        main(["--standalone", "--nproc-per-node", processes, *command])
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)

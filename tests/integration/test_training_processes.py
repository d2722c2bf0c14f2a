"""The bidding network learns in several processes of torchrun what it learns in one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.bidding import market as markets
from models.bidding.dqn.graph import graph
from models.bidding.evaluation import compare
from models.bidding.policies.dqn import Dqn
from models.bidding.policies.pacing import Pacing
from tests.integration import probe_training as probe
from tests.unit.models.bidding.logs import market

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """The layers of two processes."""
    return layers(tmp_path_factory.mktemp("whole"))


@pytest.mark.timeout(1500)
def test_processes_that_were_killed_end_in_the_same_networks(learnt: list[np.ndarray], tmp_path: Path) -> None:
    assert torchrun(tmp_path, "2").returncode != 0
    assert [file.relative_to(tmp_path) for file in tmp_path.rglob("*.npz")] == [Path("0/dqn.npz")]

    for one, other in zip(learnt, layers(tmp_path), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.timeout(900)
def test_two_processes_learn_as_well_as_one(learnt: list[np.ndarray], tmp_path: Path) -> None:
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


def layers(out: Path) -> list[np.ndarray]:
    """What two processes learn: the same."""
    done = torchrun(out)
    assert done.returncode == 0, done.stderr
    first, second = (np.load(out / str(rank) / "layers.npz") for rank in (0, 1))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    return list(first.values())


def torchrun(out: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = ["-m", "tests.integration.probe_training", str(out), *more]
    return subprocess.run([*command, *script], cwd=ROOT, capture_output=True, text=True, timeout=500)

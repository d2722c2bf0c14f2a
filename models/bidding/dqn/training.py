"""Trains the network in rounds of gathering and fitting, with a checkpoint after each."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.bidding.auctions import Episodes, Integers
from models.bidding.dqn.experience import Singles, gather, nothing, resample
from models.bidding.dqn.memory import Memory
from models.bidding.dqn.network import HEADS, answers, errors, loss, resumed, start
from models.bidding.dqn.processes import Processes
from models.bidding.dqn.reward import Reward
from models.bidding.dqn.state import TURNS
from models.bidding.market import Markets
from models.bidding.planning import Plans
from models.lean_torch import uncompiled

if TYPE_CHECKING:
    import torch

    from models.bidding.dqn.network import Layers

BATCH, LEARNING_RATE, CLIP = 256, 1e-3, 1.0
#: How fast the slower copy follows.
FOLLOW = 0.005
#: Share of stretches after which any turn is taken, so that no state goes unseen while the heads agree too early.
ANYHOW = 0.2
#: What Adam keeps of each layer.
MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Schedule:
    """How much to learn: rounds, synthetic episodes a campaign and round, and steps a round."""

    rounds: int = 6
    episodes: int = 40
    steps: int = 250


@dataclass(frozen=True)
class Study:
    """Training settings: schedule, reward, seed, and checkpoint folder."""

    schedule: Schedule
    reward: Reward
    seed: int
    checkpoint: Path


def train(
    episodes: Episodes,
    markets: Markets,
    study: Study,
    before: Sequence[npt.NDArray[np.float32]] | None = None,
) -> list[npt.NDArray[np.float32]]:
    """Train and return the layers of the target networks, whose noise is averaged out. Uses a GPU where available, and
    starts from the layers `before` where given.

    Every round has random generators seeded by the study's seed and the round, and `dqn.npz` in the study's folder has
    the networks and the memory after it: an interrupted fit resumes and ends in the same networks.

    Under torchrun every process calls this with the same arguments and gets the same layers. They share the episodes
    and each batch (`Processes`). The first one's checkpoint counts; others need none.
    """
    import torch

    processes = Processes.join()
    study.checkpoint.mkdir(parents=True, exist_ok=True)
    plans, schedule = Plans.fit(markets, episodes.auctions), study.schedule
    run = _Run(study.seed, len(episodes.channels), processes, study.checkpoint / "dqn.npz", before)
    for at in range(run.done, schedule.rounds):
        rng = np.random.default_rng(processes.seed(study.seed, at))
        drawn = resample(episodes, processes.share(schedule.episodes), rng)
        played = gather(drawn, markets, plans, study.reward, run.chooser(rng), rng)
        run.remember(Memory.of(played, rng, processes.device))
        rate = LEARNING_RATE * (1 - at / schedule.rounds)
        first = processes.gathered(torch.tensor([rng.integers(2**62)], device=processes.device))[0]
        run.fit(schedule.steps, rate, torch.Generator().manual_seed(int(first)))
        run.keep(at + 1)
    return [layer.cpu().numpy() for layer in run.target]


class _Run:
    """Networks, target networks, optimizer and memory: the content of a checkpoint."""

    @uncompiled()
    def __init__(
        self,
        seed: int,
        branches: int,
        processes: Processes,
        file: Path,
        before: Sequence[npt.NDArray[np.float32]] | None,
    ) -> None:
        import torch

        device = processes.device
        self.file, self.processes, self.device, self.done = file, processes, device, 0
        self.layers: Layers = start(seed, branches, device) if before is None else resumed(before, device)
        self.target: Layers = [layer.detach().clone() for layer in self.layers]
        self.optimizer = torch.optim.Adam(self.layers, lr=LEARNING_RATE)
        self.memory = Memory.of(nothing(branches), np.random.default_rng(seed), device)
        kept = self._kept()
        if kept:
            self._resume(kept)

    def chooser(self, rng: np.random.Generator) -> Any:
        """Each episode follows one head's best action in each branch, or sometimes a random one."""
        import torch

        def choose(state: Singles) -> Integers:
            with torch.no_grad():
                found = answers(self.layers, torch.from_numpy(state).to(self.device)).argmax(dim=-1).cpu().numpy()
            rows = np.arange(len(state))
            best = found[rows % HEADS, rows]
            any_turn = rng.integers(0, len(TURNS), best.shape)
            return np.where(rng.random(best.shape) < ANYHOW, any_turn, best)

        return choose

    def remember(self, fresh: Memory) -> None:
        self.memory = self.memory.joined(fresh.exchanged(self.processes))

    @uncompiled()
    def fit(self, steps: int, rate: float, chance: "torch.Generator") -> None:
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for _ in range(steps):
            place, weight = self.memory.draw(BATCH, chance)
            own = self.processes.part(place)
            error, conservative = errors(self.layers, self.target, self.memory.batch(own))
            self.optimizer.zero_grad()
            part = loss(error, conservative, self.processes.part(weight))
            torch.autograd.backward(part * (len(own) / BATCH))
            self.processes.add_gradients(self.layers)
            torch.nn.utils.clip_grad_norm_(self.layers, CLIP)
            self.optimizer.step()
            self.memory.learn(place, self.processes.gathered(error.detach().abs().mean(dim=(0, 2, 3))))
            with torch.no_grad():
                for slow, layer in zip(self.target, self.layers, strict=True):
                    slow.lerp_(layer, FOLLOW)

    def keep(self, done: int) -> None:
        """Write the checkpoint atomically; of several processes, the first does."""
        if self.processes.rank:
            return
        tensors = {"owned": self.memory.owned, "surprise": self.memory.surprise}
        tensors |= {f"memory{i}": column for i, column in enumerate(self.memory.columns)}
        for i, (layer, slow) in enumerate(zip(self.layers, self.target, strict=True)):
            tensors |= {f"layer{i}": layer.detach(), f"target{i}": slow}
            tensors |= {f"{name}{i}": self.optimizer.state[layer][name] for name in MOMENTS}
        aside = self.file.with_name(self.file.name + ".aside")
        with aside.open("wb") as out:
            np.savez(out, allow_pickle=False, done=np.array(done), **{k: v.cpu().numpy() for k, v in tensors.items()})
        aside.replace(self.file)

    def _kept(self) -> bytes:
        """The checkpoint of the first process; empty where it has none."""
        import torch

        own = self.file.read_bytes() if self.processes.rank == 0 and self.file.exists() else b""
        sent = torch.from_numpy(np.frombuffer(own, dtype=np.uint8).copy()).to(self.device)
        return self.processes.gathered(sent).cpu().numpy().tobytes()

    def _resume(self, checkpoint: bytes) -> None:
        import torch

        with np.load(io.BytesIO(checkpoint), allow_pickle=False) as kept:
            held = {name: torch.from_numpy(kept[name]) for name in kept.files}
        self.done = int(held["done"])
        columns = [held[f"memory{i}"].to(self.device) for i in range(4)]
        self.memory = Memory(columns, held["owned"].to(self.device), held["surprise"].to(self.device))
        for i, layer in enumerate(self.layers):
            layer.data = held[f"layer{i}"].to(self.device)
            self.target[i] = held[f"target{i}"].to(self.device)
            # Adam keeps its count of steps on the CPU.
            moments = {name: held[f"{name}{i}"] for name in MOMENTS}
            self.optimizer.state[layer] = {k: v if k == "step" else v.to(self.device) for k, v in moments.items()}

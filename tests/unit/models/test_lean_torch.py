import sys
from types import ModuleType

import pytest
import torch

from models.lean_torch import uncompiled


def test_optimizers_work_without_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("torch._dynamo")]:
        monkeypatch.delitem(sys.modules, name)
    weight = torch.zeros(3, requires_grad=True)
    with uncompiled():
        optimizer = torch.optim.AdamW([weight], lr=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=200)
        for _ in range(200):
            optimizer.zero_grad()
            torch.autograd.backward((weight - 1).square().sum())
            optimizer.step()
            schedule.step()
        optimizer.load_state_dict(optimizer.state_dict())
    assert weight.tolist() == pytest.approx([1, 1, 1], abs=0.1)
    assert not [name for name in sys.modules if name.startswith("torch._dynamo")]


def test_a_compiler_that_was_imported_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = ModuleType("torch._dynamo")
    monkeypatch.setitem(sys.modules, "torch._dynamo", compiler)
    with uncompiled():
        assert sys.modules["torch._dynamo"] is compiler
    assert sys.modules["torch._dynamo"] is compiler

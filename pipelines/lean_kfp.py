"""kfp's compiler, which writes YAML by libyaml and reads no source: `from pipelines.lean_kfp import Compiler`.

By itself it writes it in Python, which takes longer than all else that it does, but for looking for the source of all
functions that are running whenever something is said of a step, to know what one of them is called.
"""

import sys
from functools import partial
from traceback import walk_stack
from types import FrameType, SimpleNamespace

import yaml
from kfp.compiler import Compiler, KubernetesManifestOptions, pipeline_spec_builder
from kfp.dsl import pipeline_task

pipeline_spec_builder.yaml = SimpleNamespace(
    dump_all=partial(yaml.dump_all, Dumper=getattr(yaml, "CDumper", yaml.Dumper))
)


def _stack() -> list[tuple[FrameType, str, int, str]]:
    """As `inspect.stack`, without sources."""
    here = walk_stack(sys._getframe(1))
    return [(frame, frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in here]


pipeline_task.inspect = SimpleNamespace(stack=_stack)

__all__ = ["Compiler", "KubernetesManifestOptions"]

"""kfp's compiler, which writes YAML by libyaml: `from pipelines.lean_kfp import Compiler`.

By itself it writes it in Python, which takes longer than all else that it does.
"""

from functools import partial
from types import SimpleNamespace

import yaml
from kfp.compiler import Compiler, KubernetesManifestOptions, pipeline_spec_builder

pipeline_spec_builder.yaml = SimpleNamespace(
    dump_all=partial(yaml.dump_all, Dumper=getattr(yaml, "CDumper", yaml.Dumper))
)

__all__ = ["Compiler", "KubernetesManifestOptions"]

"""`score` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def score(
    family: str, data: str, out: str, version: str, shard: int, shards: int, result: dsl.Output[dsl.Artifact]
) -> None:
    """Score every `shards`-th partition of the rows at `data`, beginning with number `shard`."""
    from components import wire
    from components.score import step

    settings = wire.enter()
    wire.write(step.score(family, data, out, settings, version or None, (shard, shards)), result.path)

"""`ingest` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def ingest(
    source: list,
    fingerprint: str,
    schema: dict,
    staged: dsl.Output[dsl.Dataset],
    result: dsl.Output[dsl.Artifact],
) -> None:
    """Canonical tables from sources, staged. `fingerprint` names their content, to be part of the cache key."""
    from pathlib import Path

    from components import wire
    from components.ingest import step
    from features.schema import read

    settings = wire.enter()
    wire.write(step.ingest(source, Path(staged.path), settings, read(schema)), result.path)

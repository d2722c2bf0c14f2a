"""`release` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def release(
    family: str,
    version: str,
    features: dsl.Input[dsl.Dataset],
    plan: dict,
    result: dsl.Output[dsl.Artifact],
) -> None:
    """A registered version released step by step against the champion, rolled back if it does worse."""
    from pathlib import Path

    from components import wire
    from components.release import step

    settings = wire.enter()
    wire.write(step.release(family, version, Path(features.path), wire.whole(plan), settings), result.path)

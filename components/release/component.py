"""`release` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def release(
    family: str,
    version: str,
    plan: dict,
    result: dsl.Output[dsl.Artifact],
) -> None:
    """Release a registered version step by step against the champion; roll back if it is worse."""
    from components import wire
    from components.release import step

    settings = wire.enter()
    wire.write(step.release(family, version, wire.whole(plan), settings, replay=True), result.path)

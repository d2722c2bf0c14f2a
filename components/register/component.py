"""`register` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def register(
    bundle: dsl.Input[dsl.Model], evaluation: dsl.Input[dsl.Artifact], result: dsl.Output[dsl.Artifact]
) -> str:
    """Sign and register the bundle. Returns the version to release, empty if a gate refused it."""
    from pathlib import Path

    from components import wire
    from components.register import step

    settings = wire.enter()
    done = step.register(Path(bundle.path), Path(evaluation.path), settings)
    wire.write(done, result.path)
    return "" if done.status == "rejected" else done.version

"""`validate` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def validate(staged: dsl.Input[dsl.Dataset], tables: dsl.Output[dsl.Dataset], result: dsl.Output[dsl.Artifact]) -> None:
    """Staged tables published if they keep their contracts; the step fails, naming the breach, if not."""
    from pathlib import Path

    from components import wire
    from components.validate import step

    wire.enter()
    wire.write(step.validate(Path(staged.path), Path(tables.path)), result.path)

"""`validate` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def validate(staged: dsl.Input[dsl.Dataset], tables: dsl.Output[dsl.Dataset], result: dsl.Output[dsl.Artifact]) -> None:
    """Check the staged tables and publish them; fails at the first violated contract."""
    from pathlib import Path

    from components import wire
    from components.validate import step

    wire.enter()
    wire.write(step.validate(Path(staged.path), Path(tables.path)), result.path)

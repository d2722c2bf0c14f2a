"""`featurize` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def featurize(
    tables: dsl.Input[dsl.Dataset],
    family: str,
    params: dict,
    as_of: str,
    features: dsl.Output[dsl.Dataset],
    result: dsl.Output[dsl.Artifact],
) -> None:
    """Point-in-time examples of a family with features; `as_of` is a date, empty for all data."""
    from pathlib import Path

    from components import wire
    from components.featurize import step

    settings = wire.enter()
    done = step.featurize(Path(tables.path), family, wire.whole(params), as_of or None, settings, Path(features.path))
    wire.write(done, result.path)

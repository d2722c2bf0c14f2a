"""`gate` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def gate(
    features: dsl.Input[dsl.Dataset],
    bundle: dsl.Input[dsl.Model],
    family: str,
    params: dict,
    sensitive: list,
    evaluation: dsl.Output[dsl.Artifact],
    result: dsl.Output[dsl.Artifact],
) -> None:
    """Metrics of a candidate, the naive baseline and the champion, and the result of each gate."""
    from pathlib import Path

    from components import wire
    from components.gate import step

    settings = wire.enter()
    done = step.gate(
        Path(features.path),
        Path(bundle.path),
        family,
        wire.whole(params),
        sensitive,
        settings,
        Path(evaluation.path),
    )
    wire.write(done, result.path)

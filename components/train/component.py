"""`train` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def train(
    features: dsl.Input[dsl.Dataset],
    family: str,
    params: dict,
    start: str,
    bundle: dsl.Output[dsl.Model],
    result: dsl.Output[dsl.Artifact],
) -> None:
    """Train a family's model and write it as an unsigned bundle; optionally starts from version `start`.

    Retried, it resumes from its checkpoint.
    """
    from pathlib import Path

    from components import progress, wire
    from components.train import step
    from models.registry import Registry

    settings, section = wire.enter(), wire.whole(params)
    before = (start, Registry(settings).download(family, start)) if start else None
    with progress.checkpoint(settings, family, features.uri, section) as checkpoint:
        done = step.train(Path(features.path), family, section, checkpoint, Path(bundle.path), before)
    wire.write(done, result.path)

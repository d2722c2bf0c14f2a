"""`monitor` as a Kubeflow component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def monitor(family: str, params: dict, result: dsl.Output[dsl.Artifact]) -> bool:
    """Compare the champion's requests and answers with its reference. Returns whether to retrain."""
    from components import wire
    from components.monitor import step

    settings = wire.enter()
    done = step.monitor(family, wire.whole(params), settings)
    wire.write(done, result.path)
    return done.retrain

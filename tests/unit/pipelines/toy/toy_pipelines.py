"""Small real pipelines, shaped as the product's are: found by their name in the process that runs them."""

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from components.image import IMAGE
from pipelines.compute import place


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def ingest(source: str, staged: dsl.Output[dsl.Dataset], result: dsl.Output[dsl.Artifact]) -> None:
    import json
    from pathlib import Path

    from components import wire

    settings = wire.enter()
    Path(staged.path).write_text(source)
    Path(result.path).write_text(json.dumps({"home": str(settings.home), "redis": settings.redis_url}))


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def train(
    staged: dsl.Input[dsl.Dataset], params: dict, model: dsl.Output[dsl.Model], result: dsl.Output[dsl.Artifact]
) -> None:
    import json
    import os
    import time
    from pathlib import Path

    from components import progress, wire

    settings = wire.enter()
    with progress.checkpoint(settings, "toy", staged.uri, params) as checkpoint:
        attempts = checkpoint / "attempts"
        checkpoint.mkdir(parents=True, exist_ok=True)
        done = int(attempts.read_text()) if attempts.exists() else 0
        attempts.write_text(str(done + 1))
        (settings.home / "train.pid").write_text(str(os.getpid()))
        if params.get("slow") and not done:
            time.sleep(60)
    if "broken" in params:
        raise ValueError(f"table 'customers', column 'age': {params['broken']}\n  row 7: -1")
    Path(model.path).write_text("a model")
    Path(result.path).write_text(json.dumps({"params": wire.whole(params), "attempts": done + 1}))


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def register(
    model: dsl.Input[dsl.Model], accepted: str, evaluation: dsl.Output[dsl.Artifact], result: dsl.Output[dsl.Artifact]
) -> str:
    from pathlib import Path

    Path(result.path).write_text(f'{{"status": "{accepted}"}}')
    Path(evaluation.path).write_text("good")
    return "7" if accepted == "accepted" else ""


@dsl.component(base_image=IMAGE, packages_to_install=[], install_kfp_package=False)
def release(version: str, result: dsl.Output[dsl.Artifact]) -> None:
    from pathlib import Path

    Path(result.path).write_text(f'{{"version": "{version}"}}')


def toy(family: str) -> GraphComponent:
    @dsl.pipeline(name=f"toy-{family}")
    def pipeline(source: str, params: dict, accepted: str = "accepted") -> None:
        staged = place(family, ingest(source=source)).outputs["staged"]
        model = place(family, train(staged=staged, params=params)).outputs["model"]
        version = place(family, register(model=model, accepted=accepted)).outputs["Output"]
        with dsl.If(version != "", name="accepted"):
            place(family, release(version=version))

    return pipeline

"""The training pipeline of a family: from raw data to a canary release."""

from functools import partial

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from components.featurize.component import featurize
from components.gate.component import gate
from components.ingest.component import ingest
from components.monitor.component import monitor
from components.register.component import register
from components.release.component import release
from components.train.component import train
from components.validate.component import validate
from models import registry
from pipelines.compute import place


def prepare(step: str) -> None:
    """Import what `step` shares with others of these pipelines, where all are forks of this process.

    A release shares it only where a version was registered: one of before is mostly released already.
    """
    if step == "register":
        registry.load()


def training(family: str, fresh: bool = False) -> GraphComponent:
    """The training pipeline of `family`. `fresh` ignores cached tables and reads the source again."""

    on_cluster = partial(place, family)

    @dsl.pipeline(name=f"train-{family}", description=f"{family}: from raw data to a canary release.")
    def train_and_release(
        source: list,
        fingerprint: str,
        as_of: str,
        params: dict,
        sensitive: list,
        plan: dict,
        monitoring: dict,
        start: str = "",
        schema: dict = {},  # noqa: B006  (Kubeflow's way to say that a parameter is optional)
    ) -> None:
        ingested = on_cluster(ingest(source=source, fingerprint=fingerprint, schema=schema))
        if fresh:
            ingested.set_caching_options(False)
        validated = on_cluster(validate(staged=ingested.outputs["staged"]))
        featurized = on_cluster(
            featurize(tables=validated.outputs["tables"], family=family, params=params, as_of=as_of)
        )
        features = featurized.outputs["features"]
        trained = on_cluster(train(features=features, family=family, params=params, start=start))
        bundle = trained.outputs["bundle"]
        gated = on_cluster(gate(features=features, bundle=bundle, family=family, params=params, sensitive=sensitive))
        registered = on_cluster(register(bundle=bundle, evaluation=gated.outputs["evaluation"]))
        version = registered.outputs["Output"]
        with dsl.If(version != "", name="accepted"):
            released = on_cluster(release(family=family, version=version, plan=plan))
            on_cluster(monitor(family=family, params=monitoring).after(released))

    return train_and_release

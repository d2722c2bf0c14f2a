"""A small classifier of texts as the champion of a home: sentiment of remarks on products, and a shop's intents."""

import json
from pathlib import Path

import pandas as pd

from features.settings import Settings
from features.sources import rated_texts, shop_intents
from models import bundle
from models.nlp import FAMILY
from models.nlp.examples import examples_of
from models.nlp.fit import fit
from models.nlp.params import NlpParams
from models.registry import Registry

PARAMS = NlpParams(seed=1, epochs=0)


def release(settings: Settings, folder: Path) -> str:
    """Fit, register and promote it; its version. `folder` is where it is made."""
    examples = examples_of(pd.concat([_remarks(), shop_intents.examples()], ignore_index=True), PARAMS)
    train, valid, test = (
        examples[examples["split"] == part].reset_index(drop=True) for part in ("train", "valid", "test")
    )
    model = fit(train, valid, PARAMS, folder / "checkpoint")
    asked = test[list(FAMILY.context)].head(20)
    manifest = bundle.Manifest(
        family=FAMILY.name,
        feature_service=None,
        columns=dict.fromkeys(FAMILY.context, "object"),
        kinds=dict(FAMILY.kinds),
        label=FAMILY.label,
        params=PARAMS.model_dump(mode="json"),
        seed=PARAMS.seed,
        data_hash="0" * 64,
        git_commit="0" * 40,
    )
    bundle.write(folder / "bundle", model, manifest, asked.join(model.predict(asked)))
    evaluation = folder / "evaluation"
    evaluation.mkdir()
    digest = bundle.verify(folder / "bundle", None)
    judged = {"bundle_digest": digest, "passed": True, "metrics": {"macro_f1": 0.6}, "gates": []}
    (evaluation / "evaluation.json").write_text(json.dumps(judged))
    (evaluation / "card.md").write_text("# A small classifier")
    test[[*FAMILY.context, *FAMILY.label]].to_parquet(evaluation / "requests.parquet")
    registry = Registry(settings)
    return registry.promote(FAMILY.name, registry.register(folder / "bundle", evaluation).version).version


def _remarks() -> pd.DataFrame:
    """Each remark alone."""
    remarks = rated_texts.remarks()
    return remarks[~remarks["text"].str.contains(",")].assign(task="sentiment", split=None)

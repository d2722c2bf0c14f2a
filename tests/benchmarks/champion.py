"""The models that serving and batch figures are measured on: released ones, or fresh ones where nothing is released."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from components.featurize.step import featurize
from components.ingest.step import ingest
from components.params import load
from components.train.step import train
from features.settings import Settings
from models import bundle
from models.bundle import Bundle, open_bundle
from models.keys import public_key, signing_key
from models.registry import Registry

PARAMS = Path(__file__).parents[2] / "params.yaml"


@contextmanager
def champion(family: str, settings: Settings) -> Iterator[tuple[Bundle, Settings]]:
    """A family's signed bundle, opened, and settings to serve it by.

    Their home is an empty one for the time of the measurement: it must not end up in the log of real requests.
    """
    verify = public_key(settings).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with TemporaryDirectory() as home:
        own = settings.model_copy(update={"home": Path(home), "offline_uri": None, "verify_key": verify})
        yield open_bundle(_folder(family, settings, own), public_key(settings)), own


def _folder(family: str, settings: Settings, own: Settings) -> Path:
    registry = Registry(settings)
    released = registry.champion(family)
    if released is not None:
        return registry.download(family, released.version)
    params, features, trained = load(PARAMS), own.home / "frame", own.home / "bundle"
    ingest(params.source, own.home / "tables", own)
    featurize(own.home / "tables", family, params.section(family), None, own, features, online=False)
    train(features, family, params.section(family), own.home / "checkpoint", trained)
    bundle.sign(trained, signing_key(settings), "1")
    return trained

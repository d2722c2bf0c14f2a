import hashlib
import json
import pickle
import stat
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from features.settings import Settings
from models import bundle, keys
from models.bundle import BundleTampered, Manifest

KEY = Ed25519PrivateKey.generate()
MANIFEST = Manifest(
    family="churn",
    feature_service="churn_v1",
    columns={"b": "float64", "a": "object"},
    label=("churned",),
    params={"seed": 1},
    seed=1,
    data_hash="abc",
    git_commit="def",
)


class Saved:
    """A model as far as a bundle is concerned."""

    def __init__(self, text="weights", dies=False):
        self.text, self.dies = text, dies

    def save(self, folder: Path) -> None:
        (folder / "weights.txt").write_text(self.text)
        if self.dies:
            raise RuntimeError("disk full")


@pytest.fixture
def signed(tmp_path):
    folder = tmp_path / "bundle"
    bundle.write(folder, Saved(), MANIFEST, pd.DataFrame({"b": [1.0], "a": ["x"]}))
    bundle.sign(folder, KEY, "1")
    return folder


def test_what_was_signed_is_verified(signed):
    assert bundle.verify(signed, KEY.public_key()) == bundle.verify(signed, None)
    assert sorted(path.name for path in signed.parent.iterdir()) == ["bundle"]


def test_the_digest_is_of_the_content(signed, tmp_path):
    bundle.write(tmp_path / "same", Saved(), MANIFEST, pd.DataFrame({"b": [1.0], "a": ["x"]}))
    bundle.write(tmp_path / "other", Saved("others"), MANIFEST, pd.DataFrame({"b": [1.0], "a": ["x"]}))
    assert bundle.verify(tmp_path / "same", None) == bundle.verify(signed, None)
    assert bundle.verify(tmp_path / "other", None) != bundle.verify(signed, None)


def changed(folder):
    (folder / "model/weights.txt").write_text("heavier")


def added(folder):
    (folder / "model/more.txt").write_text("")


def missing(folder):
    (folder / "reference.parquet").unlink()


def relabelled(folder):
    """A changed file whose hash was changed with it: only the signature tells."""
    changed(folder)
    bundle.seal(folder)
    bundle.sign(folder, Ed25519PrivateKey.generate(), "1")


def unsigned(folder):
    (folder / "signature.json").unlink()


def unsealed(folder):
    (folder / "files.json").unlink()


def linked(folder):
    (folder / "model/weights.txt").rename(folder.parent / "elsewhere.txt")
    (folder / "model/weights.txt").symlink_to(folder.parent / "elsewhere.txt")


def escaping(folder):
    files = json.loads((folder / "files.json").read_text())
    (folder.parent / "outside.txt").write_text("weights")
    files["../outside.txt"] = files["model/weights.txt"]
    (folder / "files.json").write_text(json.dumps(files))
    resigned(folder)


def garbled(folder):
    (folder / "files.json").write_text("[1, 2")
    resigned(folder)


def resigned(folder):
    """Signed by the right key, whatever the list of hashes says."""
    digest = hashlib.sha256((folder / "files.json").read_bytes()).hexdigest()
    (folder / "signature.json").write_text(bundle.signature(KEY, "churn", "1", digest))


def renumbered(folder):
    """The statement says another version than the one that was signed."""
    said = json.loads((folder / "signature.json").read_text())
    (folder / "signature.json").write_text(json.dumps({**said, "version": "2"}))


def unreadable(folder):
    (folder / "signature.json").write_bytes(b"\xff\xfe not hex")


def borrowed(folder):
    """The right key's signature of another bundle."""
    (folder / "signature.json").write_text(bundle.signature(KEY, "churn", "1", "0" * 64))


TAMPERED = [changed, added, missing, relabelled, unsigned, unsealed, linked, escaping, garbled, renumbered, unreadable]


@pytest.mark.parametrize("tamper", [*TAMPERED, borrowed])
def test_a_tampered_bundle_is_refused(signed, tamper):
    tamper(signed)
    with pytest.raises(BundleTampered):
        bundle.open_bundle(signed, KEY.public_key())


def test_the_refusal_names_the_file(signed):
    changed(signed)
    with pytest.raises(BundleTampered, match=r"since it was sealed: model/weights.txt"):
        bundle.verify(signed, None)


def test_a_bundle_is_the_version_of_the_family_that_it_was_signed_as(signed):
    key = KEY.public_key()
    assert bundle.verify(signed, key, "churn", "1") == bundle.verify(signed, key)


@pytest.mark.parametrize(
    ("family", "version"), [("churn", "2"), ("ltv", "1"), ("ltv", None), (None, "2"), ("churn", "")]
)
def test_a_bundle_in_the_place_of_another_is_refused(signed, family, version):
    with pytest.raises(BundleTampered, match=r"expected .*, got churn 1"):
        bundle.verify(signed, KEY.public_key(), family, version)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "weights.txt", "model.json"])
def test_code_is_refused_whatever_it_is_called(signed, name):
    (signed / "model" / name).write_bytes(pickle.dumps({"weights": [1]}))
    with pytest.raises(BundleTampered, match="not one of the data formats"):
        bundle.seal(signed)


def test_an_archive_is_refused(signed):
    with zipfile.ZipFile(signed / "model" / "weights.onnx", "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(1))
    with pytest.raises(BundleTampered, match="not one of the data formats"):
        bundle.seal(signed)


def test_a_header_that_looks_like_a_pickle_is_none(signed):
    (signed / "model" / "weights.safetensors").write_bytes((640).to_bytes(8, "little") + b"{" + b" " * 639)
    bundle.seal(signed)


def test_only_what_was_sealed_can_be_signed(signed):
    changed(signed)
    with pytest.raises(BundleTampered):
        bundle.sign(signed, KEY, "1")


def test_a_write_that_fails_leaves_what_was_there(signed):
    before = bundle.verify(signed, KEY.public_key())
    with pytest.raises(RuntimeError, match="disk full"):
        bundle.write(signed, Saved("others", dies=True), MANIFEST, pd.DataFrame({"b": [1.0]}))
    assert bundle.verify(signed, KEY.public_key()) == before
    assert [path.name for path in signed.parent.iterdir()] == ["bundle"]


def test_a_write_replaces_what_was_there(signed):
    bundle.write(signed, Saved("others"), MANIFEST, pd.DataFrame({"b": [1.0]}))
    assert (signed / "model/weights.txt").read_text() == "others"
    assert [path.name for path in signed.parent.iterdir()] == ["bundle"]


def test_the_order_of_columns_is_part_of_the_schema_and_survives(signed):
    read = Manifest.model_validate_json((signed / "manifest.json").read_bytes())
    assert read == MANIFEST and list(read.columns) == ["b", "a"]
    swapped = MANIFEST.model_copy(update={"columns": {"a": "object", "b": "float64"}})
    assert swapped.schema_hash != MANIFEST.schema_hash


def test_keys_are_made_once_and_for_the_owner_only(tmp_path):
    settings = Settings(home=tmp_path)
    first = keys.signing_key(settings)
    path = tmp_path / "keys" / "signing.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [made.name for made in path.parent.iterdir()] == ["signing.pem"]
    keys.public_key(settings).verify(first.sign(b"x"), b"x")


def test_keys_come_from_the_environment(tmp_path, monkeypatch):
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("ADLOOP_SIGNING_KEY", pem)
    settings = Settings(home=tmp_path)
    KEY.public_key().verify(keys.signing_key(settings).sign(b"x"), b"x")
    assert pem not in repr(settings) and not (tmp_path / "keys").exists()


def test_a_server_verifies_without_the_signing_key(tmp_path, monkeypatch):
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    monkeypatch.setenv("ADLOOP_VERIFY_KEY", pem)
    keys.public_key(Settings(home=tmp_path)).verify(KEY.sign(b"x"), b"x")
    assert not (tmp_path / "keys").exists()

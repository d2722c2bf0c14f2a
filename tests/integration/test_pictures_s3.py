"""Pictures in a bucket are read, up to a limit, and those of other prefixes are not."""

import hashlib

import pytest

from features.fetch import Unreachable, content_of
from features.settings import Settings
from models.image.weights import verified


def test_only_pictures_of_the_prefix_are_read(s3, tmp_path):
    for key in ("pictures/malt.jpg", "pictures-of-others/malt.jpg", "secret.jpg"):
        s3.client.put_object(Bucket=s3.bucket, Key=key, Body=b"malt")
    settings = Settings(home=tmp_path, images=f"s3://{s3.bucket}/pictures", s3_endpoint_url=s3.endpoint)
    at = f"s3://{s3.bucket}"
    assert content_of(f"{at}/pictures/malt.jpg", 4, settings) == b"malt"
    for uri, why in (
        (f"{at}/pictures/malt.jpg", "larger than 3 bytes"),
        (f"{at}/pictures/none.jpg", "no such object"),
        (f"{at}/pictures-of-others/malt.jpg", "expected an object under ADLOOP_IMAGES"),
        (f"{at}/pictures/../secret.jpg", "expected an object under ADLOOP_IMAGES"),
        (f"{at}/secret.jpg", "expected an object under ADLOOP_IMAGES"),
    ):
        with pytest.raises(Unreachable, match=why):
            content_of(uri, 3, settings)


def test_weights_come_from_a_bucket(s3, monkeypatch):
    s3.client.put_object(Bucket=s3.bucket, Key="weights/some_package/model.onnx", Body=b"weights")
    monkeypatch.setenv("ADLOOP_WEIGHTS_URI", f"s3://{s3.bucket}/weights")
    monkeypatch.setenv("ADLOOP_S3_ENDPOINT_URL", s3.endpoint)
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert verified("some_package", "model.onnx", sha256) == b"weights"
    with pytest.raises(ValueError, match="has another hash"):
        verified("some_package", "model.onnx", "0" * 64)
    with pytest.raises(FileNotFoundError):
        verified("some_package", "other.onnx", sha256)

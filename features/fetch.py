"""What is behind a URI. A URI from outside may lead anywhere, so private addresses and other folders are not asked.

A host's address is looked up once, judged, and asked; so a name cannot lead to another address after it was judged.
"""

import base64
import binascii
import ipaddress
import socket
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from features import __version__, lake
from features.certificates import trusted
from features.settings import Settings

PATIENCE_S = 10.0
REDIRECTS = 5
#: Characters of a URI that messages show; a `data:` URI may have millions.
_SHOWN = 120


class Unreachable(ValueError):
    """A URI that does not answer as it should; the message names it."""


def scheme_of(uri: str) -> str:
    """The scheme of a URI in lower case; empty where it has none or cannot be parsed."""
    try:
        return urlsplit(uri).scheme
    except ValueError:  # such as a bracket without its other one
        return ""


def content_of(uri: str, most: int, settings: Settings) -> bytes:
    """What is behind a URI, up to `most` bytes.

    `https:` and `http:` at public addresses (or as `settings.landing_pages` says), `data:`, `s3:` within
    `settings.images`, and `file:` within that or `settings.home`. Raises `Unreachable` for all else.
    """
    scheme = scheme_of(uri)
    if scheme in ("http", "https"):
        return fetched(uri, most, settings.landing_pages == "any")
    readers = {"file": _file, "s3": _object, "data": _inline}
    if scheme not in readers:
        raise Unreachable(f"{uri[:_SHOWN]}: expected a URI of https, s3, data or file")
    return readers[scheme](uri, most, settings)


def _file(uri: str, most: int, settings: Settings) -> bytes:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        raise Unreachable(f"{uri}: expected a file of this machine (file:///...)")
    # Links are followed first, so that none leads out of the folder.
    place = Path(unquote(parts.path)).resolve()
    images = settings.images
    allowed = [settings.home.resolve(), *([Path(images).resolve()] if images and not lake.is_remote(images) else [])]
    if not any(place.is_relative_to(folder) for folder in allowed):
        raise Unreachable(f"{uri}: expected a file in the folder ADLOOP_IMAGES")
    if not place.is_file():
        raise Unreachable(f"{uri}: no such file")
    with place.open("rb") as file:
        return _all(uri, file.read(most + 1), most)


def _object(uri: str, most: int, settings: Settings) -> bytes:
    if not settings.images or not uri.startswith(f"{settings.images.rstrip('/')}/") or ".." in uri.split("/"):
        raise Unreachable(f"{uri}: expected an object under ADLOOP_IMAGES")
    system: Any = lake.filesystem(uri, settings)
    try:
        return _all(uri, bytes(system.cat_file(uri, start=0, end=most + 1)), most)
    except FileNotFoundError:
        raise Unreachable(f"{uri}: no such object") from None


def _inline(uri: str, most: int, settings: Settings) -> bytes:
    about, comma, content = uri.removeprefix("data:").partition(",")
    try:
        found = base64.b64decode(content, validate=True) if about.endswith(";base64") else unquote_to_bytes(content)
    except binascii.Error:
        comma, found = "", b""
    if not comma:
        raise Unreachable(f"{uri[:_SHOWN]}: expected data:<type>;base64,<content>")
    return _all(uri[:_SHOWN], found, most)


def _all(uri: str, content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise Unreachable(f"{uri}: is larger than {most:,} bytes")
    return content


def fetched(url: str, most: int, any_address: bool) -> bytes:
    """What is behind a URL, up to `most` bytes. Raises `Unreachable` for anything but an answer of 2xx."""
    import httpx

    asked = url
    told, verify = {"user-agent": f"adloop/{__version__}"}, trusted(trust_env=False)
    with httpx.Client(timeout=PATIENCE_S, headers=told, trust_env=False, verify=verify) as http:
        for _ in range(REDIRECTS + 1):
            try:
                answer = http.send(_request(http, httpx.URL(asked), any_address), stream=True)
                if not answer.has_redirect_location:
                    return _body(url, answer, most)
                answer.close()
                asked = str(httpx.URL(asked).join(answer.headers["location"]))
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                raise Unreachable(f"{url}: does not answer ({type(fault).__name__})") from None
    raise Unreachable(f"{url}: more than {REDIRECTS} redirects")


def _request(http: Any, asked: Any, any_address: bool) -> Any:
    """The request to the address of the host; TLS still checks the host's name."""
    if asked.scheme not in ("http", "https"):
        raise Unreachable(f"{asked}: expected http or https")
    host, named = asked.host, asked.netloc.decode()
    there = asked.copy_with(host=_address(host, asked.port or 443, any_address))
    return http.build_request("GET", there, headers={"host": named}, extensions={"sni_hostname": host})


def _address(host: str, port: int, any_address: bool) -> str:
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):  # the latter: a part of the name is empty or too long
        raise Unreachable(f"{host}: no such host") from None
    private = [one for one in found if not ipaddress.ip_address(one).is_global]
    if private and not any_address:
        raise Unreachable(f"{host}: is at a private address, which visitors cannot reach (ADLOOP_LANDING_PAGES=any)")
    return found[0]


def _body(url: str, answer: Any, most: int) -> bytes:
    try:
        if not answer.is_success:
            raise Unreachable(f"{url}: answers {answer.status_code}")
        found = b""
        for some in answer.iter_bytes() if most else ():
            found += some
            if len(found) > most:
                raise Unreachable(f"{url}: is larger than {most:,} bytes")
        return found
    finally:
        answer.close()

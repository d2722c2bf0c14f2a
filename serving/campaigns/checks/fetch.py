"""Looks at public pages and pictures. What a plan names may lead anywhere, so private addresses are not asked.

A host's address is looked up once, judged, and asked; so a name cannot lead to another address after it was judged.
"""

import ipaddress
import socket
from urllib.parse import urljoin

import httpx

from serving.integrations.credentials import USER_AGENT

PATIENCE_S = 10.0
REDIRECTS = 5


class Unreachable(ValueError):
    """A page that does not answer as it should; the message names the URL."""


def fetched(url: str, most: int, any_address: bool) -> bytes:
    """What is behind a URL, up to `most` bytes. Raises `Unreachable` for anything but an answer of 2xx."""
    asked = url
    with httpx.Client(timeout=PATIENCE_S, headers={"user-agent": USER_AGENT}, trust_env=False) as http:
        for _ in range(REDIRECTS + 1):
            try:
                answer = http.send(_request(http, httpx.URL(asked), any_address), stream=True)
                if not answer.is_redirect:
                    return _body(url, answer, most)
                asked = urljoin(asked, answer.headers["location"])
                answer.close()
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                raise Unreachable(f"{url}: does not answer ({type(fault).__name__})") from None
    raise Unreachable(f"{url}: more than {REDIRECTS} redirects")


def _request(http: httpx.Client, asked: httpx.URL, any_address: bool) -> httpx.Request:
    """The request to the address of the host; TLS still checks the host's name."""
    if asked.scheme not in ("http", "https"):
        raise Unreachable(f"{asked}: expected http or https")
    host, named = asked.host, asked.netloc.decode()
    there = asked.copy_with(host=_address(host, asked.port or 443, any_address))
    return http.build_request("GET", there, headers={"host": named}, extensions={"sni_hostname": host})


def _address(host: str, port: int, any_address: bool) -> str:
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError:
        raise Unreachable(f"{host}: no such host") from None
    private = [one for one in found if not ipaddress.ip_address(one).is_global]
    if private and not any_address:
        raise Unreachable(f"{host}: is at a private address, which visitors cannot reach (ADLOOP_LANDING_PAGES=any)")
    return found[0]


def _body(url: str, answer: httpx.Response, most: int) -> bytes:
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

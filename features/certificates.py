"""The certificates by which servers are trusted."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


@cache
def trusted(*, trust_env: bool = True) -> "ssl.SSLContext":
    """For httpx's `verify`: by itself it reads all certificates anew for each client, which takes 25 ms.

    Args:
        trust_env: whether SSL_CERT_FILE and SSL_CERT_DIR may name others, as in httpx.
    """
    import httpx

    return httpx.create_ssl_context(trust_env=trust_env)

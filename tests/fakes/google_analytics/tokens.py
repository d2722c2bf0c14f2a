"""The login of service accounts: a signed assertion for a token."""

import json
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

EMAIL, TOKEN = "adloop@shop.iam.gserviceaccount.com", "ya29.t0k3n"


@lru_cache(maxsize=1)
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(token_url: str) -> str:
    """The JSON key of the service account, which logs in at this address."""
    pem = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told = {"type": "service_account", "project_id": "shop", "private_key_id": "s3cr3t", "private_key": pem.decode()}
    return json.dumps({**told, "client_email": EMAIL, "client_id": "1", "token_uri": token_url})


def assertion_is_right(assertion: str) -> bool:
    """Whether the service account signed it."""
    public = (
        _key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    try:
        claims = jwt.decode(assertion, certs=public)
    except ValueError:
        return False
    return bool(claims["iss"] == EMAIL)

"""Everything that somebody may send in place of a token: a table of names and of functions that make them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLAIMS = ("sub", "type", "jti", "iat", "exp", "iss", "aud", "role", "sid")
OTHER_KEY = "b" * 64
HOUR = 3600


@dataclass(frozen=True)
class Forge:
    """Makes tokens for a real login. An attacker has no `key`; with it, each token is wrong in one thing only."""

    key: str
    user: str
    session: str
    kind: str = "access"

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims, changed; a change to None removes a claim."""
        now = int(time.time())
        good = {
            "sub": self.user, "type": self.kind, "jti": str(uuid4()), "iat": now, "exp": now + 60, "iss": "genai-auto",
            "aud": "genai-auto-api", "role": "customer", "sid": self.session,
        }  # fmt: skip
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def signed(self, key: str | None = None, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token with the real key, or another."""
        return self.raw({"alg": "HS256", "typ": "JWT", **(headers or {})}, self.claims(**changes), key)

    def raw(self, header: object, claims: object, key: str | bytes | None = None) -> str:
        """Signed with HMAC-SHA256 whatever the header says."""
        said = f"{part(header)}.{part(claims)}"
        return f"{said}.{mac(said, self.key if key is None else key)}"


def part(value: object) -> str:
    """One part of a token; bytes as they are, the rest as JSON."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def mac(said: str, key: str | bytes, digest: Any = hashlib.sha256) -> str:
    """The third part."""
    secret = key if isinstance(key, bytes) else key.encode()
    return base64.urlsafe_b64encode(hmac.new(secret, said.encode(), digest).digest()).decode().rstrip("=")


def unsigned(algorithm: str) -> Callable[[Forge], str]:
    """Claims without a signature."""
    return lambda f: f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(f.claims(role='admin'))}."


def without(claim: str) -> Callable[[Forge], str]:
    """All claims but one."""
    return lambda f: f.signed(**{claim: None})


def now(seconds: int) -> int:
    """Unix time in so many seconds."""
    return int(time.time()) + seconds


def with_public_key(f: Forge) -> str:
    """A token that an asymmetric verifier would take, its public key being no secret."""
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f.raw({"alg": "HS256", "typ": "JWT"}, f.claims(), pem)


def changed(f: Forge, place: int, value: str) -> str:
    """A good token with one part replaced."""
    parts = f.signed().split(".")
    parts[place] = value
    return ".".join(parts)


def flipped(f: Forge) -> str:
    """A good token with one bit of its signature changed."""
    head, claims, signature = f.signed().split(".")
    return f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


Attack = Callable[[Forge], str]

NOT_TOKENS: dict[str, Attack] = {
    "nothing": lambda _: "",
    "a word": lambda _: "token",
    "two parts": lambda f: f.signed().rpartition(".")[0],
    "four parts": lambda f: f.signed() + ".x",
    "five parts": lambda f: f.signed() + ".x.y",
    "empty parts": lambda _: "..",
    "parts of rubbish": lambda _: "a.b.c",
    "not ASCII": lambda _: "é.é.é",
    "only dots": lambda _: "." * 50,
    "very long": lambda f: changed(f, 1, "A" * 6000),
    "quoted": lambda f: f'"{f.signed()}"',
    "base64 of a token": lambda f: part(f.signed().encode()),
    "JSON": lambda f: json.dumps(f.claims()),
    "two tokens": lambda f: f"{f.signed()}, {f.signed()}",
    "SQL": lambda _: "' OR 1=1 --",
    "a path": lambda _: "../../etc/passwd",
}
ALGORITHMS: dict[str, Attack] = {
    **{f"alg {name}": unsigned(name) for name in ("none", "None", "NONE", "nOnE", "", "HS256")},
    "none with the signature of another token": lambda f: (
        f"{part({'alg': 'none'})}.{part(f.claims())}.{f.signed().split('.')[2]}"
    ),
    "no algorithm": lambda f: f.raw({"typ": "JWT"}, f.claims()),
    "algorithm is null": lambda f: f.raw({"alg": None}, f.claims()),
    "algorithm is a list": lambda f: f.raw({"alg": ["HS256"]}, f.claims()),
    "algorithm is a number": lambda f: f.raw({"alg": 256}, f.claims()),
    "lower case": lambda f: f.raw({"alg": "hs256"}, f.claims()),
    "HS384": lambda f: jwt.encode(f.claims(), f.key, "HS384"),
    "HS512": lambda f: jwt.encode(f.claims(), f.key, "HS512"),
    "RS256": lambda f: jwt.encode(f.claims(), rsa.generate_private_key(65537, 2048), "RS256"),
    "PS256": lambda f: jwt.encode(f.claims(), rsa.generate_private_key(65537, 2048), "PS256"),
    "ES256": lambda f: jwt.encode(f.claims(), ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "says RS256, is HS256": lambda f: f.raw({"alg": "RS256"}, f.claims()),
    "a public key as secret": with_public_key,
    "says HS256, is HS512": lambda f: (
        (said := f"{part({'alg': 'HS256'})}.{part(f.claims())}") + "." + mac(said, f.key, hashlib.sha512)
    ),
    "header is a list": lambda f: f.raw(["HS256"], f.claims()),
    "header is no JSON": lambda f: f.raw(b"{", f.claims()),
}
KEYS: dict[str, Attack] = {
    "other key": lambda f: f.signed(OTHER_KEY),
    "empty key": lambda f: f.signed(""),
    "published key": lambda f: f.signed("change-me-in-production"),
    "published longer key": lambda f: f.signed("change-me-in-production-use-openssl-rand-hex-32"),
    "key cut short": lambda f: f.signed(f.key[:-1]),
    "kid to an empty file": lambda f: f.signed("", {"kid": "/dev/null"}),
    "kid with SQL": lambda f: f.signed("x", {"kid": "' UNION SELECT 'x' --"}),
    "kid is a number": lambda f: f.signed(OTHER_KEY, {"kid": 1}),
    "jku to elsewhere": lambda f: f.signed(OTHER_KEY, {"jku": "https://evil.example/keys"}),
    "x5u to elsewhere": lambda f: f.signed(OTHER_KEY, {"x5u": "https://evil.example/chain"}),
    "key in the header": lambda f: f.signed(OTHER_KEY, {"jwk": {"kty": "oct", "k": part(OTHER_KEY.encode())}}),
    "unknown critical header": lambda f: f.signed(headers={"crit": ["x"], "x": 1}),
    "payload not encoded": lambda f: f.signed(headers={"crit": ["b64"], "b64": False}),
}
CHANGES: dict[str, Attack] = {
    "role raised": lambda f: changed(f, 1, part(f.claims(role="admin"))),
    "other user": lambda f: changed(f, 1, part(f.claims(sub=str(uuid4())))),
    "one bit of the signature": flipped,
    "signature cut short": lambda f: f.signed()[:-4],
    "signature of nothing": lambda f: changed(f, 2, mac("", f.key)),
    "no signature": lambda f: changed(f, 2, ""),
}
WRONG_CLAIMS: dict[str, Attack] = {
    **{f"without {name}": without(name) for name in CLAIMS},
    "expired": lambda f: f.signed(exp=now(-60)),
    "expired long ago": lambda f: f.signed(iat=0, exp=1),
    "expires never": lambda f: f.signed(exp="never"),
    "expires at a list": lambda f: f.signed(exp=[now(HOUR)]),
    "issued later": lambda f: f.signed(iat=now(HOUR)),
    "valid later": lambda f: f.signed(nbf=now(HOUR)),
    "valid from a word": lambda f: f.signed(nbf="now"),
    "other issuer": lambda f: f.signed(iss="somebody"),
    "issuer in a list": lambda f: f.signed(iss=["genai-auto"]),
    "other audience": lambda f: f.signed(aud="another-api"),
    "audience of an ID token": lambda f: f.signed(aud=["another-api", "web"]),
    "a token of the other kind": lambda f: f.signed(type="refresh" if f.kind == "access" else "access"),
    "an ID token": lambda f: f.signed(type="id"),
    "type in a list": lambda f: f.signed(type=["access"]),
    "nobody": lambda f: f.signed(sub=str(uuid4())),
    "a user's name": lambda f: f.signed(sub="admin"),
    "user is a number": lambda f: f.signed(sub=1),
    "user with SQL": lambda f: f.signed(sub=f"{f.user}' OR '1'='1"),
    "no such login": lambda f: f.signed(sid=str(uuid4())),
    "login is no id": lambda f: f.signed(sid="*"),
    "login is null in text": lambda f: f.signed(sid="null"),
    "login is a list": lambda f: f.signed(sid=[f.session]),
    "id is no id": lambda f: f.signed(jti="1"),
    "claims are a list": lambda f: f.raw({"alg": "HS256"}, [f.claims()]),
    "claims are no JSON": lambda f: f.raw({"alg": "HS256"}, b"\xff\xfe"),
    "claims nested deeply": lambda f: f.raw({"alg": "HS256"}, b'{"a":' * 500 + b"1" + b"}" * 500),
}
ATTACKS: dict[str, Attack] = {**NOT_TOKENS, **ALGORITHMS, **KEYS, **CHANGES, **WRONG_CLAIMS}

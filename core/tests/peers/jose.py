"""Verifies and signs with a library for JWTs: a task in JSON on standard input, what came of it on standard output."""

import json
import sys


def with_pyjwt(task):
    import jwt

    algorithm = task["algorithm"]
    public = jwt.PyJWK(task["public"], algorithm=algorithm)

    def verify(token):
        try:
            return jwt.decode(token, public, algorithms=[algorithm])
        except jwt.InvalidSignatureError:
            return None

    signed = jwt.encode(task["claims"], task["private"], algorithm=algorithm)
    private = jwt.get_algorithm_by_name(algorithm).prepare_key(task["private"])
    jwk = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key()))
    jwk.pop("key_ops", None)
    return {"verified": [verify(token) for token in task["verify"]], "signed": signed, "jwk": jwk,
            "thumbprint": thumbprint(jwk)}


def with_joserfc(task):
    from joserfc import errors, jwk, jwt

    algorithm = "Ed25519" if task["algorithm"] == "EdDSA" else task["algorithm"]
    names = [task["algorithm"], algorithm]
    public = jwk.import_key(task["public"])
    private = jwk.import_key(task["private"], {"Ed": "OKP", "ES": "EC", "RS": "RSA"}[task["algorithm"][:2]])

    def verify(token):
        try:
            return jwt.decode(token, public, algorithms=names).claims
        except errors.BadSignatureError:
            return None

    signed = jwt.encode({"alg": task["algorithm"], "typ": "JWT"}, task["claims"], private, algorithms=names)
    shown = private.as_dict(private=False)
    shown.pop("kid", None)
    return {"verified": [verify(token) for token in task["verify"]], "signed": signed, "jwk": shown,
            "thumbprint": private.thumbprint()}


def thumbprint(jwk):
    import base64
    import hashlib

    members = {"EC": ["crv", "kty", "x", "y"], "OKP": ["crv", "kty", "x"], "RSA": ["e", "kty", "n"]}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


libraries = {"pyjwt": with_pyjwt, "joserfc": with_joserfc}
print(json.dumps(libraries[sys.argv[1]](json.load(sys.stdin))))

#!/usr/bin/env python3
"""Writes kubernetes/cases.json: what every language must do with bootstrap tokens, manifests, cluster-info and pins.

Nothing here calls handfast. YAML is written by a template and read back by PyYAML, signatures come from the standard
library's hmac, certificates and pins from `cryptography`. The output is the same at every run: the one signing key is
derived from a fixed seed, and no other private key exists.

    pip install PyYAML==6.0.3 cryptography==48.0.0 && python3 generate_kubernetes.py
"""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import re

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

GROUP = "system:bootstrappers:kubeadm:default-node-token"
TOKEN = "07401b.f395accd246ae52d"
SERVER = "https://10.0.0.1:6443"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(seed: str, length: int) -> int:
    """A fixed number of `length` bytes with its highest and lowest bits set."""
    data = b"".join(hashlib.sha256(f"{seed}{i}".encode()).digest() for i in range(length // 32))
    return int.from_bytes(data, "big") | 1 | 1 << (8 * length - 1)


def certificate(name: str, key) -> str:
    authority = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"handfast vectors").digest())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key)
        .serial_number(1)
        .not_valid_before(datetime.datetime(2026, 1, 1))
        .not_valid_after(datetime.datetime(2126, 1, 1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority, None)
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def keys() -> dict:
    seed = hashlib.sha256(b"handfast subject").digest()
    return {
        "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key(),
        "p256": ec.derive_private_key(int.from_bytes(seed, "big") >> 8, ec.SECP256R1()).public_key(),
        "rsa2048": rsa.RSAPublicNumbers(65537, number("rsa", 256)).public_key(),
    }


def pin(pem: str) -> str:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(info).hexdigest()


def jws(content: str, token: str) -> str:
    token_id, secret = token.split(".")
    header = b64url(json.dumps({"alg": "HS256", "kid": token_id}, separators=(",", ":")).encode())
    signed = f"{header}.{b64url(content.encode())}".encode()
    return f"{header}..{b64url(hmac.new(secret.encode(), signed, hashlib.sha256).digest())}"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def manifest(case: dict) -> dict:
    token_id, secret = case["token"].split(".")
    labels = {
        "app.kubernetes.io/managed-by": "handfast",
        "handfast.dev/instance-id": case["instance"],
        "handfast.dev/owner": case["owner"],
    }
    data = {"auth-extra-groups": ",".join(case["groups"])}
    if case["description"] is not None:
        data["description"] = case["description"]
    data |= {
        "expiration": re.sub(r"\.\d+Z$", "Z", case["expires_at"]),
        "token-id": token_id,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
    }
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"labels": labels, "name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "stringData": data,
        "type": "bootstrap.kubernetes.io/token",
    }
    lines = ["apiVersion: v1", "kind: Secret", "metadata:", "  labels:"]
    lines += [f"    {key}: {quoted(value)}" for key, value in labels.items()]
    lines += [f"  name: bootstrap-token-{token_id}", "  namespace: kube-system", "stringData:"]
    lines += [f"  {key}: {quoted(value)}" for key, value in data.items()]
    lines += ["type: bootstrap.kubernetes.io/token", ""]
    text = "\n".join(lines)
    assert yaml.safe_load(text) == document, text
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return case | {"yaml": text, "json": compact}


def manifests() -> list:
    plain = {
        "token": TOKEN,
        "expires_at": "2026-01-02T03:04:05.000Z",
        "owner": "p1.r1",
        "instance": "i-0a74797fd283b53de",
        "groups": [GROUP],
        "description": None,
    }
    changes = [
        {},
        {"expires_at": "2026-12-31T23:59:59.999Z"},
        {"token": "1e1234.1234567890123456"},
        {"token": "0x12ab.0b10101010101010", "owner": "123", "instance": "i-4c87e963"},
        {"description": "node of \"workers\": C:\\ # é, 100%"},
        {"groups": [GROUP, "system:bootstrappers:a", "system:bootstrappers:site-7:x"]},
    ]
    return [manifest(plain | change) for change in changes]


def cluster_kubeconfig(pem: str, server: str = SERVER, extra: str = "") -> str:
    """As kubeadm publishes it: one cluster without a name, and nothing else."""
    data = base64.b64encode(pem.encode()).decode()
    return (
        f"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {data}\n    server: {server}\n{extra}"
        '  name: ""\ncontexts: null\ncurrent-context: ""\nkind: Config\npreferences: {}\nusers: null\n'
    )


def node_kubeconfig(pem: str, token: str, server: str, server_name: str | None) -> str:
    data = base64.b64encode(pem.encode()).decode()
    name = "" if server_name is None else f'    tls-server-name: "{server_name}"\n'
    text = (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f"    certificate-authority-data: {data}\n"
        f'    server: "{server}"\n{name}  name: kubernetes\n'
        "contexts:\n- context:\n    cluster: kubernetes\n    user: tls-bootstrap-token-user\n"
        "  name: tls-bootstrap-token-user@kubernetes\n"
        "current-context: tls-bootstrap-token-user@kubernetes\nkind: Config\n"
        f'users:\n- name: tls-bootstrap-token-user\n  user:\n    token: "{token}"\n'
    )
    read = yaml.safe_load(text)
    assert read["users"][0]["user"]["token"] == token and read["clusters"][0]["cluster"]["server"] == server
    return text


def config_map(kubeconfig: str, tokens: list, form: str) -> str:
    data = {f"jws-kubeconfig-{token.split('.')[0]}": jws(kubeconfig, token) for token in tokens}
    data["kubeconfig"] = kubeconfig
    document = {
        "apiVersion": "v1",
        "data": data,
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-info", "namespace": "kube-public", "resourceVersion": "311"},
    }
    if form == "json":
        return json.dumps(document)
    # kubectl writes the inner document as a literal block.
    yaml.SafeDumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None),
    )
    text = yaml.safe_dump(document, width=10**9)
    assert yaml.safe_load(text) == document
    return text


def cluster_infos(pems: dict) -> list:
    other = "123456.1234567890123456"
    bundle = pems["p256"] + pems["rsa2048"]
    named = cluster_kubeconfig(pems["p256"]).replace('  name: ""\n', "  name: prod\n")
    named = named.replace("contexts: null", "contexts:\n- context:\n    cluster: prod\n    user: nobody\n  name: it")
    named = named.replace('current-context: ""', "current-context: it")
    credentials = cluster_kubeconfig(pems["p256"]).replace("users: null", "users:\n- name: a\n  user:\n    token: t")
    server_name = "    tls-server-name: api.example.com\n"
    cases = [
        ("kubeadm's own, as YAML", cluster_kubeconfig(pems["rsa2048"]), "yaml", ["rsa2048"], SERVER, None),
        ("kubeadm's own, as JSON", cluster_kubeconfig(pems["ed25519"]), "json", ["ed25519"], SERVER, None),
        ("two authorities", cluster_kubeconfig(bundle), "json", ["p256", "rsa2048"], SERVER, None),
        ("a named cluster and a current context", named, "yaml", ["p256"], SERVER, None),
        ("credentials are not copied", credentials, "yaml", ["p256"], SERVER, None),
        (
            "IPv6 and a server name",
            cluster_kubeconfig(pems["p256"], '"https://[fd00::1]:6443/k"', server_name),
            "yaml",
            ["p256"],
            "https://[fd00::1]:6443/k",
            "api.example.com",
        ),
    ]
    out = []
    for note, kubeconfig, form, names, server, name in cases:
        pem = "".join(pems[kind] for kind in names)
        out.append({
            "note": note,
            "config_map": config_map(kubeconfig, [TOKEN, other], form),
            "server": server,
            "authority": pem,
            "pins": [pin(pems[kind]) for kind in names],
            "tokens": [TOKEN, other],
            "kubeconfigs": [node_kubeconfig(pem, token, server, name) for token in (TOKEN, other)],
        })
    return out


def refused_cluster_infos(pems: dict) -> list:
    good = cluster_kubeconfig(pems["p256"])
    data = base64.b64encode(pems["p256"].encode()).decode()
    code = "kubernetes_malformed_cluster_info"
    bad = {
        "http": good.replace("https://", "http://"),
        "credentials in the URL": good.replace("https://", "https://admin:admin@"),
        "a query in the URL": good.replace(":6443", ":6443?a=b"),
        "a space in the URL": good.replace(":6443", ":6443 x"),
        "no host": good.replace("10.0.0.1:6443", ""),
        "insecure": good.replace("    server:", "    insecure-skip-tls-verify: true\n    server:"),
        "a proxy": good.replace("    server:", "    proxy-url: http://10.0.0.9:3128\n    server:"),
        "a path of an authority": good.replace("    server:", "    certificate-authority: /etc/ca\n    server:"),
        "no authority": good.replace(f"    certificate-authority-data: {data}\n", ""),
        "an authority that is no base64": good.replace(data, "!" + data),
        "an authority that is no certificate": good.replace(data, base64.b64encode(b"hello").decode()),
        "an empty authority": good.replace(data, '""'),
        "a server name that is none": good.replace("    server:", "    tls-server-name: a/b\n    server:"),
        "a server twice": good.replace("    server:", "    server: https://10.0.0.9\n    server:"),
        "aliases": good.replace("clusters:", "x: &x [1]\ny: *x\nclusters:"),
        "two documents": good + "---\n" + good,
        "no clusters": "apiVersion: v1\nclusters: []\nkind: Config\n",
        "not YAML": "{",
        "not a kubeconfig": "hello",
    }
    cases = [{"note": note, "config_map": config_map(text, [], "json"), "code": code} for note, text in bad.items()]
    whole = json.loads(config_map(good, [], "json"))
    for note, change in {
        "another name": {"metadata": {"name": "cluster", "namespace": "kube-public"}},
        "another namespace": {"metadata": {"name": "cluster-info", "namespace": "default"}},
        "another kind": {"kind": "Secret"},
        "no kubeconfig": {"data": {}},
        "data that is a list": {"data": []},
    }.items():
        cases.append({"note": note, "config_map": json.dumps(whole | change), "code": code})
    cases.append({"note": "empty", "config_map": "", "code": code})
    cases.append({"note": "too large", "config_map_of_spaces": 1024 * 1024 + 1, "code": "too_large"})
    return cases


def signatures(pems: dict) -> dict:
    contents = ["", "hello", cluster_kubeconfig(pems["p256"]), "é\n\u0000"]
    good = [{"content": c, "token": t, "signature": jws(c, t)} for c in contents for t in (TOKEN, "aaaaaa." + "0" * 16)]
    right = jws("hello", TOKEN)
    header, signature = right.split("..")
    none = b64url(b'{"alg":"none","kid":"07401b"}')
    spaced = b64url(b'{"alg": "HS256", "kid": "07401b"}')
    bad = {
        "another secret": jws("hello", "07401b.f395accd246ae52e"),
        "another content": jws("hello ", TOKEN),
        "content not detached": f"{header}.{b64url(b'hello')}.{signature}",
        "alg none": f"{none}..",
        "another spelling of the header": f"{spaced}..{signature}",
        "padded": right + "=",
        "cut": right[:-1],
        "empty": "",
        "trailing newline": right + "\n",
    }
    refused = [{"note": n, "content": "hello", "token": TOKEN, "signature": s} for n, s in bad.items()]
    return {"accepted": good, "refused": refused}


def main() -> None:
    pems = {name: certificate(f"handfast {name}", key) for name, key in keys().items()}
    digits = pin(pems["p256"]).split(":")[1]
    cases = {
        "tokens": {
            "accepted": [TOKEN, "000000.0000000000000000", "abcdef.0123456789abcdef", "1e1234.1234567890123456"],
            "refused": [
                "", ".", "07401b", "07401b.", ".f395accd246ae52d", "07401B.f395accd246ae52d", "07401b.F395accd246ae52d",
                "07401b.f395accd246ae52", "07401b.f395accd246ae52dd", "07401.f395accd246ae52d", "07401b:f395accd246ae52d",
                "07401b.f395accd246ae52d\n", " 07401b.f395accd246ae52d", "07401b..f395accd246ae52d", "07401b.f395accd246ae52d.",
                "07401é.f395accd246ae52d", "07401b.f395accd246ae52é", "07401b.f395accd-46ae52d", "07401b.f395accd246ae52\u0000",
            ],
        },
        "groups": {
            "accepted": [GROUP, "system:bootstrappers:a", "system:bootstrappers::-9", "system:bootstrappers:" + "a" * 256],
            "refused": [
                "", "system:bootstrappers", "system:bootstrappers:", "system:bootstrappers:a:", "system:bootstrappers:a-",
                "system:bootstrappers:A", "system:bootstrappers:a,b", "system:bootstrappers:a b", "system:bootstrappers:a\n",
                "system:masters", "x" + GROUP, "system:bootstrappers:" + "a" * 257,
            ],
        },
        "manifests": manifests(),
        "cluster_infos": {"accepted": cluster_infos(pems), "refused": refused_cluster_infos(pems)},
        "signatures": signatures(pems),
        "pins": {
            "accepted": [{"certificate": pem, "pin": pin(pem)} for pem in pems.values()],
            "same": [f"sha256:{digits}", f"SHA256:{digits}", f"sha256:{digits.upper()}"],
            "refused": [
                "", "sha256", "sha256:", digits, f"sha512:{digits}", f"sha256:{digits[:-1]}", f"sha256:{digits[:-2]}",
                f"sha256:{digits}00", f"sha256:{digits[:-1]}g", f"sha256:{digits}\n", f" sha256:{digits}", f"sha256::{digits}",
            ],
        },
    }
    path = pathlib.Path(__file__).parent / "kubernetes" / "cases.json"
    path.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

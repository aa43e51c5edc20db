# SPDX-License-Identifier: MIT
"""Certificates of a test's own, made by openssl, and a client that speaks TLS."""

import base64
import hashlib
import secrets
import ssl
import subprocess

from .client import Client


def fingerprint(certificate) -> str:
    """Of its public key, as browsers have it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], capture_output=True, check=True)
    bare = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key.stdout, capture_output=True, check=True)
    return base64.b64encode(hashlib.sha256(bare.stdout).digest()).decode()


class Authority:
    """Signs certificates in a folder."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out",
                      self.certificate, "-days", "30", "-subj", f"/CN=Test {name}",
                      "-addext", "basicConstraints=critical,CA:TRUE")

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def issue(self, name, hosts=("localhost",), kind="ec", begin=None, end=None, subject=None):
        """Certificate file and key file. `begin` and `end` as openssl ca(1) has dates."""
        key, request, made = (self.folder / f"{name}.{suffix}" for suffix in ("key", "csr", "pem"))
        algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else ["rsa:2048"]
        self._openssl("req", "-new", "-newkey", *algorithm, "-nodes", "-keyout", key, "-out", request,
                      "-subj", subject or f"/CN={name}")
        rules = self.folder / f"{name}.cnf"
        names = ",".join(f"DNS:{host}" for host in hosts)
        rules.write_text(
            f"[ca]\ndefault_ca=own\n[own]\nnew_certs_dir={self.folder}\ndatabase={self.folder}/{name}.index\n"
            f"serial={self.folder}/{name}.serial\ndefault_md=sha256\nunique_subject=no\npolicy=any\n[any]\ncommonName=supplied\n"
            f"organizationName=optional\n[ext]\n" + (f"subjectAltName={names}\n" if names else ""))
        (self.folder / f"{name}.index").write_text("")
        (self.folder / f"{name}.serial").write_text(f"{secrets.randbits(64):016X}\n")
        dates = ["-startdate", begin] if begin else []
        dates += ["-enddate", end] if end else ["-days", "20"]
        self._openssl("ca", "-batch", "-notext", "-config", rules, "-cert", self.certificate, "-keyfile", self.key,
                      "-in", request, "-out", made, "-extensions", "ext", *dates)
        return made, key

    def context(self, client=None, **more) -> ssl.SSLContext:
        """Of a client that trusts it."""
        made = ssl.create_default_context(cafile=self.certificate)
        if client is not None:
            made.load_cert_chain(*client)
        for name, value in more.items():
            setattr(made, name, value)
        return made


class TlsClient(Client):
    def __init__(self, address, context, host="localhost", session=None, **more):
        super().__init__(address, **more)
        self.host = host
        self.sock = context.wrap_socket(self.sock, server_hostname=host, session=session)

    def request(self, target="/", method="GET", headers=(), body=b""):
        """For the host that the handshake was for."""
        lines = [f"{method} {target} HTTP/1.1"]
        if not any(name.lower() == "host" for name, _ in headers):
            lines.append(f"Host: {self.host}")
        lines += [f"{name}: {value}" for name, value in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

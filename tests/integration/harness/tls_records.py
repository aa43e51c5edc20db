# SPDX-License-Identifier: MIT
"""A client of TLS 1.3 that writes its records itself: Python makes the handshake, libcrypto seals what follows."""

import ctypes
import hashlib
import hmac
import socket
import ssl
import struct

APPLICATION_DATA, HANDSHAKE = 23, 22
KEY_UPDATE = bytes([24, 0, 0, 1, 0])

crypto = ctypes.CDLL("libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm"):
    getattr(crypto, name).restype = ctypes.c_void_p


def seal(key: bytes, nonce: bytes, text: bytes, beside: bytes) -> bytes:
    """AES-128-GCM."""
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    count = ctypes.c_int()
    out, tag = ctypes.create_string_buffer(len(text) + 16), ctypes.create_string_buffer(16)
    assert crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_128_gcm()), None, key, nonce)
    assert crypto.EVP_EncryptUpdate(context, None, ctypes.byref(count), beside, len(beside))
    assert crypto.EVP_EncryptUpdate(context, out, ctypes.byref(count), text, len(text))
    made = out.raw[: count.value]
    assert crypto.EVP_EncryptFinal_ex(context, out, ctypes.byref(count))
    assert crypto.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, tag)
    crypto.EVP_CIPHER_CTX_free(context)
    return made + tag.raw


def expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1), of one block."""
    label = b"tls13 " + label
    info = struct.pack(">HB", length, len(label)) + label + b"\0\1"
    return hmac.new(secret, info, hashlib.sha256).digest()[:length]


class RecordClient:
    def __init__(self, address, context: ssl.SSLContext, folder, host="localhost"):
        keys = folder / "keys"
        context.keylog_filename = str(keys)
        self.sock = socket.create_connection(address, 10)
        come, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(come, self.out, server_hostname=host)
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.sock.sendall(self.out.read())
                come.write(self.sock.recv(65536))
        self.sock.sendall(self.out.read())
        assert session.cipher()[0] == "TLS_AES_128_GCM_SHA256", session.cipher()
        told = keys.read_text().splitlines()
        self.secret = next(bytes.fromhex(line.split()[2]) for line in told if line.startswith("CLIENT_TRAFFIC_SECRET_0"))
        self._use_keys()

    def _use_keys(self):
        self.key, self.start, self.number = expand(self.secret, b"key", 16), expand(self.secret, b"iv", 12), 0

    def record(self, text: bytes, kind: int = APPLICATION_DATA) -> bytes:
        head = b"\x17\x03\x03" + struct.pack(">H", len(text) + 17)
        counter = b"\0" * 4 + struct.pack(">Q", self.number)
        self.number += 1
        return head + seal(self.key, bytes(a ^ b for a, b in zip(self.start, counter)), text + bytes([kind]), head)

    def key_update(self) -> bytes:
        made = self.record(KEY_UPDATE, HANDSHAKE)
        self.secret = expand(self.secret, b"traffic upd", 32)
        self._use_keys()
        return made

    def send(self, text: bytes, kind: int = APPLICATION_DATA) -> None:
        self.sock.sendall(self.record(text, kind))

    def ended(self, within: float) -> bool:
        """Whether the server ends the connection in that time, whatever it sends before."""
        self.sock.settimeout(within)
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

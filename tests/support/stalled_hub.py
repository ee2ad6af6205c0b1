# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A server on this machine that looks like the model hub, and stalls in the middle of a file."""

import contextlib
import hashlib
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

SIZE = 409_000_000
SENT = 1 << 20  # and then nothing more


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._send_headers()

    def do_GET(self):
        self._send_headers()
        if self.path.endswith('.safetensors'):
            with contextlib.suppress(OSError):
                self.wfile.write(bytes(SENT))
                self.wfile.flush()
                self.server.stalled.set()
                self.server.end.wait()

    def _send_headers(self):
        self.send_response(200)
        self.send_header('ETag', f'"{hashlib.sha256(b"weights").hexdigest()}"')
        self.send_header('X-Repo-Commit', '0' * 40)
        self.send_header('Content-Length', str(SIZE))
        self.end_headers()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def stalled_hub(folder):
    """Serve until the end; give an event that is set once it stalls, and a client's environment.

    Args:
        folder: An empty one, for the certificate and the client's cache.
    """
    openssl = shutil.which('openssl')
    if openssl is None:
        pytest.skip('openssl, which makes the certificate of the local server, is not installed')
    key, certificate = folder / 'key.pem', folder / 'certificate.pem'
    subprocess.run(
        f'{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost '
        f'-addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}'.split(),
        check=True,
        capture_output=True,
    )
    server = ThreadingHTTPServer(('127.0.0.1', 0), _Handler)
    server.daemon_threads = True
    server.stalled, server.end = threading.Event(), threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield (
            server.stalled,
            {
                'HF_ENDPOINT': f'https://localhost:{server.server_address[1]}',
                'HF_HOME': str(folder / 'hub'),
                'HF_HUB_OFFLINE': '0',
                'SSL_CERT_FILE': str(certificate),
                'REQUESTS_CA_BUNDLE': str(certificate),
            },
        )
    finally:
        server.end.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""The web pages of Spark: the UI of a job, and the History Server. They answer only this server.

The UI of Spark 3.5 has no password. Hadoop's filters would add one, but they do not work in the Spark that pip
installs, because they use servlet classes of another name. So the UI uses TLS with client certificates (SSLOptions of
Spark 3.5.9, `needClientAuth`). Each attempt has its own certificate, and both sides trust no other one.
"""

from __future__ import annotations

import secrets
import socket
import ssl
from datetime import UTC, datetime
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from pulumi_dli.local.engines import WebReply
from pulumi_dli.local.private_files import write_private

HOST = "127.0.0.1"

_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the Spark UI of a job")])
_VALIDITY = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
_RETRIES = 16
_TIMEOUT = 30.0


def location_behind(base: str, location: str) -> str:
    """Return the target of a redirect of the UI behind the page. It redirects `/jobs` to `/jobs/`, without its base."""
    target = urlsplit(location)._replace(scheme="", netloc="")
    is_inside = target.path == base or target.path.startswith(f"{base}/") or not target.path.startswith("/")
    return target.geturl() if is_inside else target._replace(path=f"{base}{target.path}").geturl()


class SparkUi:
    """The web pages of one process: of an attempt or of the History Server."""

    def __init__(self, directory: Path, module: str = "ui") -> None:
        """Make the certificate in `directory`, which must be private. Raises OSError.

        `module` is Spark's name for the web server: `ui` or `historyServer`.
        """
        self._module = module
        self._directory = directory
        self._port = _free_port()
        self._password = secrets.token_urlsafe(32)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False  # the context trusts a single certificate
        self._make_certificate()

    def ssl_properties(self) -> dict[str, str]:
        """Return the Spark properties that protect the web pages."""
        store = {"Store": str(self._directory / "ui.p12"), "StorePassword": self._password, "StoreType": "PKCS12"}
        ssl_properties = {f"{kind}{name}": value for kind in ("key", "trust") for name, value in store.items()}
        ssl_properties |= {
            "enabled": "true",
            "port": str(self._port),
            "needClientAuth": "true",
            "keyPassword": self._password,
        }
        return {
            "spark.port.maxRetries": str(_RETRIES),
            **{f"spark.ssl.{self._module}.{name}": value for name, value in ssl_properties.items()},
        }

    def properties(self) -> dict[str, str]:
        """Return the Spark properties that switch the UI of a job on and protect it."""
        return {
            **self.ssl_properties(),
            "spark.ui.enabled": "true",
            "spark.ui.port": "0",  # this port only redirects to the TLS port
            "spark.ui.killEnabled": "false",
            "spark.ui.reverseProxy": "false",
            "spark.ui.proxyRedirectUri": "/",
        }

    def find(self, process_id: int) -> bool:
        """Find the port of the UI. If our port is taken, Spark uses one of the next. Return False if there is no UI.

        The driver has other ports, too, so this waits for an answer from each port in the range.
        """
        try:
            connections = psutil.Process(process_id).net_connections("tcp")
        except psutil.Error:  # the driver has ended
            return False
        listening = {found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN}
        near = sorted(listening & set(range(self._port, self._port + _RETRIES + 1)))
        port = next(filter(self._answers_on, near), None)
        self._port = port or self._port
        return port is not None

    def get(self, target: str, path: str) -> WebReply:
        """Get a page of the UI, and wait for the answer. Raises OSError if there is no answer.

        The page shows the answer under `path`, with which its links begin. Spark gets it with each request, so the
        secret path of a session is in no file of Spark.
        """
        connection = HTTPSConnection(HOST, self._port, timeout=_TIMEOUT, context=self._context)
        try:
            connection.request("GET", target, headers={"X-Forwarded-Context": path})
            reply = connection.getresponse()
            location = reply.headers["Location"]
            return WebReply(
                status=reply.status,
                content_type=reply.headers["Content-Type"],
                location=None if location is None else location_behind(path, location),
                body=reply.read(),
            )
        except HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def _answers_on(self, port: int) -> bool:
        """Return whether the UI listens on a port. No other server has its certificate."""
        try:
            with (
                socket.create_connection((HOST, port), _TIMEOUT) as connection,
                self._context.wrap_socket(connection),
            ):
                return True
        except OSError:
            return False

    def _make_certificate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder(_NAME, _NAME, key.public_key(), x509.random_serial_number(), *_VALIDITY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = self._directory / "ui.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(pem, private + certificate.public_bytes(Encoding.PEM))
        self._context.load_cert_chain(pem)
        self._context.load_verify_locations(pem)
        # Java trusts every certificate in the trust store, so one store serves as key store and trust store.
        encryption = BestAvailableEncryption(self._password.encode())
        store = pkcs12.serialize_key_and_certificates(b"ui", key, certificate, None, encryption)
        write_private(self._directory / "ui.p12", store)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port

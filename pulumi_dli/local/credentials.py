"""The single account of the local DLI, stored in `DIR/credentials.json`."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path

from pulumi_dli.local.private_files import write_private

_FILE = "credentials.json"
_REGION = "local-1"


def make_secret(length: int) -> str:
    """Make a secret of letters and digits. A command line would take one that begins with a hyphen for an option."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


class CredentialsError(Exception):
    """The credentials file is missing or unreadable. `str(error)` says which and what to do."""


@dataclass(frozen=True, repr=False)
class Credentials:
    """One user with one project, and every kind of secret that signs in.

    `auth_url` ends in `/v3`. `token` is a project token that does not expire. The project has the name of the region,
    as in the clouds, because clients look it up by that name.
    """

    endpoint: str
    auth_url: str
    region: str
    project_id: str
    project_name: str
    domain_id: str
    domain_name: str
    user_id: str
    username: str
    password: str
    access_key: str
    secret_key: str
    token: str
    # Files of earlier versions do not have these.
    application_credential_id: str = field(default_factory=lambda: secrets.token_hex(16))
    application_credential_secret: str = field(default_factory=lambda: make_secret(40))

    @classmethod
    def make(cls) -> Credentials:
        """Make an account with new secrets. It has no address yet."""
        return cls(
            endpoint="",
            auth_url="",
            region=_REGION,
            project_id=secrets.token_hex(16),
            project_name=_REGION,
            domain_id=secrets.token_hex(16),
            domain_name="local-domain",
            user_id=secrets.token_hex(16),
            username="local-user",
            password=make_secret(24),
            access_key="LOCAL" + secrets.token_hex(8).upper(),
            secret_key=make_secret(40),
            token=make_secret(64),
        )

    @classmethod
    def load(cls, data_dir: Path) -> Credentials:
        """Read the account of a data directory. Raises CredentialsError."""
        path = data_dir / _FILE
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            names = [one.name for one in fields(cls) if one.default_factory is MISSING or one.name in document]
            return cls(**{name: str(document[name]) for name in names})
        except FileNotFoundError as error:
            raise CredentialsError(
                f"{path} does not exist. Start the service first: pulumi-dli local serve --data {data_dir}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CredentialsError(
                f"{path} cannot be read ({type(error).__name__}: {error}). "
                "Remove it, then the service makes new credentials."
            ) from error

    @classmethod
    def load_or_make(cls, data_dir: Path) -> Credentials:
        """Read the account of a data directory, or make one if it has none.

        Raises CredentialsError if the file is unreadable.
        """
        return cls.load(data_dir) if (data_dir / _FILE).exists() else cls.make()

    def at(self, endpoint: str) -> Credentials:
        """Return the same account at an address such as `http://127.0.0.1:8080`."""
        return replace(self, endpoint=endpoint, auth_url=f"{endpoint}/v3")

    def save(self, data_dir: Path) -> None:
        """Write the account to the data directory. Only the owner of the file can read it. Raises OSError."""
        write_private(data_dir / _FILE, json.dumps(asdict(self), indent=2) + "\n")

"""Writes a file with which a program signs in to a Hadoop service: a token, as `Credentials` of Hadoop 3.3 reads it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

_MAGIC = b"HDTS\0"  # the format with Hadoop's own serialization
_KIND = "HIVE_DELEGATION_TOKEN"
"""The kind of token that Hive's client looks for."""


@dataclass(frozen=True)
class Token:
    """A user and a password for a service. `service` is a name that the client must be configured with, too."""

    identifier: bytes
    password: bytes = field(repr=False)
    service: str

    @property
    def user_name(self) -> str:
        """The name that the client signs in with."""
        return base64.b64encode(self.identifier).decode()

    @property
    def user_password(self) -> str:
        """The password that the client signs in with."""
        return base64.b64encode(self.password).decode()

    def file_content(self) -> bytes:
        """Write the file to which HADOOP_TOKEN_FILE_LOCATION must point."""
        token = _sized(self.identifier) + _sized(self.password) + _sized(_KIND.encode()) + _sized(self.service.encode())
        number_of_tokens, number_of_keys = _integer(1), _integer(0)
        return _MAGIC + number_of_tokens + _sized(self.service.encode()) + token + number_of_keys


def _sized(data: bytes) -> bytes:
    return _integer(len(data)) + data


def _integer(value: int) -> bytes:
    """Write an integer from 0 up like `WritableUtils.writeVInt` of Hadoop 3.3."""
    if value < 128:
        return bytes([value])
    digits = value.to_bytes((value.bit_length() + 7) // 8)
    return bytes([0x90 - len(digits)]) + digits

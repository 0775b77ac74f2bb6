"""The queues, as far as batch jobs need them.

Source: DLI API reference, queue-related APIs (recommended), 2026-04. The list is in snake_case, the details partly in
camelCase: so are the pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pulumi_dli.local.errors import bad_parameter, not_found
from pulumi_dli.local.submissions import DEFAULT_QUEUE

SPARK_VERSION = "3.5"
_SMALLEST = 16
_TYPE = "general"
_TYPES = ("sql", "general", "all")
_DECLARED = re.compile(r"(?P<name>(?!_|\d+(?::|$))\w{1,128})(?::(?P<cus>[1-9]\d{0,8}))?", re.ASCII)


def read_queues(declared: Iterable[str]) -> dict[str, int | None]:
    """Read the queues that are declared as `NAME` or `NAME:CUs`: by name the CUs, None where there is no limit.

    `default` is always there, the first. Of two with one name the last counts. Names are lower-cased, as the service
    does it. Raises ValueError.
    """
    queues: dict[str, int | None] = {DEFAULT_QUEUE: None}
    for text in declared:
        match = _DECLARED.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"not a queue: {text!r}; write NAME or NAME:CUs, as in batch:64. A name has letters, digits and "
                "underscores, 128 at most; it does not begin with an underscore, nor consist of digits"
            )
        queues[match["name"].lower()] = int(match["cus"]) if match["cus"] else None
    return queues


class Queues:
    """The queues, with their CUs. All are of the general-purpose type.

    `used` gives how many CUs of a queue its jobs take. A queue without a limit grows with its jobs: it has the CUs that
    they take, 16 at least, which is what the service's smallest queue has.
    """

    def __init__(self, cus: Mapping[str, int | None], *, used: Callable[[str], int], owner: str, created: int) -> None:
        self._cus = cus
        self._used = used
        self._owner = owner
        self._created = created

    def __contains__(self, name: object) -> bool:
        return name in self._cus

    def listed(self, queue_type: str | None) -> dict[str, Any]:
        """Answer a list call. Without a type it gives SQL queues only: none. Raises ApiError for an unknown type."""
        queue_type = queue_type or "sql"
        if queue_type not in _TYPES:
            raise bad_parameter(f"Parameter queue_type is invalid: it must be one of {', '.join(_TYPES)}.")
        names = self._cus if queue_type in (_TYPE, "all") else []
        return {
            "is_success": True,
            "message": "",
            "queues": [
                {
                    "queue_name": name,
                    "queue_type": _TYPE,
                    "cu_count": self._cu_count(name),
                    "charging_mode": 1,
                    "owner": self._owner,
                    "create_time": self._created,
                    "description": "",
                    "resource_id": name,
                    "support_spark_versions": [SPARK_VERSION],
                    "default_spark_version": SPARK_VERSION,
                }
                for name in names
            ],
        }

    def details(self, name: str) -> dict[str, Any]:
        """Answer a details call. Raises ApiError for an unknown queue."""
        name = name.lower()
        if name not in self:
            raise not_found("The queue does not exist.")
        return {
            "is_success": True,
            "message": "",
            "owner": self._owner,
            "description": "",
            "queueName": name,
            "queueType": _TYPE,
            "cuCount": self._cu_count(name),
            "chargingMode": 1,
            "create_time": self._created,
            "resource_id": name,
            "support_spark_versions": [SPARK_VERSION],
            "default_spark_version": SPARK_VERSION,
        }

    def _cu_count(self, name: str) -> int:
        return self._cus[name] or max(_SMALLEST, self._used(name))

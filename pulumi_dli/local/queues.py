"""The queues and their calls, as far as batch jobs need them.

Source: DLI API reference, queue-related APIs (recommended), 2026-04. As on these pages, the list is in snake_case and
the details are partly in camelCase.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pulumi_dli.local.errors import bad_parameter, not_found
from pulumi_dli.local.submissions import DEFAULT_QUEUE

SPARK_VERSION = "3.5"
_UNLIMITED = 1024
"""The CUs that are answered for a queue without a limit."""
_TYPE = "general"
_TYPES = ("sql", "general", "all")
_DECLARED = re.compile(r"(?P<name>(?!_|\d+(?::|$))\w{1,128})(?::(?P<cus>[1-9]\d{0,8}))?", re.ASCII)


def read_queues(declared: Iterable[str]) -> dict[str, int | None]:
    """Read queues that are declared as `NAME` or `NAME:CUs`. Return the CUs by name, None for no limit.

    The first queue is always `default`. If two have the same name, the last one counts. Names become lower case, as in
    the service. Raises ValueError.
    """
    queues: dict[str, int | None] = {DEFAULT_QUEUE: None}
    for text in declared:
        match = _DECLARED.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is not a queue: write NAME or NAME:CUs, as in batch:64. A name has at most 128 letters, "
                "digits and underscores. It does not begin with an underscore, and it is not a number"
            )
        queues[match["name"].lower()] = int(match["cus"]) if match["cus"] else None
    return queues


class Queues:
    """The queues with their CUs. All are general-purpose queues.

    `used` returns the CUs of a queue that are in use. A queue without a limit grows with its jobs: it has the CUs that
    they use, but at least 16, like the smallest queue of the service.
    """

    def __init__(self, cus: Mapping[str, int | None], *, used: Callable[[str], int], owner: str, created: int) -> None:
        self._cus = cus
        self._used = used
        self._owner = owner
        self._created = created

    def __contains__(self, name: object) -> bool:
        return name in self._cus

    def listed(self, queue_type: str | None) -> dict[str, Any]:
        """Answer a list call. Without a type it lists SQL queues only, so none. Raises ApiError for an unknown type."""
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
        return self._cus[name] or max(_UNLIMITED, self._used(name))

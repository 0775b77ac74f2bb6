"""The queues, as far as batch jobs need them.

Source: DLI API reference, queue-related APIs (recommended), 2026-04. The list is in snake_case, the details partly in
camelCase: so are the pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pulumi_dli.local.refusals import bad_parameter, not_found
from pulumi_dli.local.submissions import DEFAULT_QUEUE

SPARK_VERSION = "3.5"
_CU_COUNT = 16
_TYPE = "general"
_TYPES = ("sql", "general", "all")


class Queues:
    """The names of the queues. All are of the general-purpose type; `default` is always there.

    Names are lower-cased, as the service does it.
    """

    def __init__(self, names: Iterable[str], *, owner: str, created: int) -> None:
        self._names = list(dict.fromkeys([DEFAULT_QUEUE, *(name.strip().lower() for name in names)]))
        self._owner = owner
        self._created = created

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def listed(self, queue_type: str | None) -> dict[str, Any]:
        """Answer a list call. Without a type it gives SQL queues only: none. Raises Refused for an unknown type."""
        queue_type = queue_type or "sql"
        if queue_type not in _TYPES:
            raise bad_parameter(f"Parameter queue_type is invalid: it must be one of {', '.join(_TYPES)}.")
        names = self._names if queue_type in (_TYPE, "all") else []
        return {
            "is_success": True,
            "message": "",
            "queues": [
                {
                    "queue_name": name,
                    "queue_type": _TYPE,
                    "cu_count": _CU_COUNT,
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
        """Answer a details call. Raises Refused for an unknown queue."""
        if name.lower() not in self:
            raise not_found("The queue does not exist.")
        return {
            "is_success": True,
            "message": "",
            "owner": self._owner,
            "description": "",
            "queueName": name.lower(),
            "queueType": _TYPE,
            "cuCount": _CU_COUNT,
            "chargingMode": 1,
            "create_time": self._created,
            "resource_id": name.lower(),
            "support_spark_versions": [SPARK_VERSION],
            "default_spark_version": SPARK_VERSION,
        }

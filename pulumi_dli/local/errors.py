"""The service's "no": an error code with a message."""

from __future__ import annotations

from pulumi_dli.api.error_codes import ERROR_CODES


class ApiError(Exception):
    """A call that the service refuses.

    `code` is an error code of the service or its gateway. `status` is the HTTP status; by default the one that the
    error table documents for the code. `message` goes to the client: of the request it holds no more than the names of
    parameters, and timelines.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = ERROR_CODES[code].status if status is None else status


def bad_parameter(message: str) -> ApiError:
    """A parameter that breaks a rule of the API page."""
    return ApiError("DLI.0001", message)


def not_found(message: str) -> ApiError:
    """Something that the call names does not exist.

    No page shows what the batch calls answer to an unknown id; sibling calls answer 400 with DLI.0002 (error codes
    page, dli_02_0056, 2026-04; seen in Terraform's provider for databases and permissions).
    """
    return ApiError("DLI.0002", message)

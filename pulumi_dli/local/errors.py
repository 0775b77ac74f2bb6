"""The errors that the service answers: a code, a message and an HTTP status."""

from __future__ import annotations

from pulumi_dli.api.error_codes import ERROR_CODES


class ApiError(Exception):
    """The service refuses a call.

    Args:
        code: An error code of the service or its gateway.
        message: The text for the client. It repeats nothing of the request but names of parameters, and timelines.
        status: The HTTP status. By default it is the one that the error table documents for the code.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = ERROR_CODES[code].status if status is None else status


def bad_parameter(message: str) -> ApiError:
    """Make the error for a parameter that breaks a rule of the API page."""
    return ApiError("DLI.0001", message)


def not_found(message: str) -> ApiError:
    """Make the error for a call that names something that does not exist.

    No page shows what the batch calls answer to an unknown id. Sibling calls answer 400 with DLI.0002 (error codes
    page, dli_02_0056, 2026-04; seen in Terraform's provider for databases and permissions).
    """
    return ApiError("DLI.0002", message)

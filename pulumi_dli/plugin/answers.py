"""How a failed request is answered: an error for the user as its message, a defect with its traceback."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from pulumi_dli.api.errors import DliError

Method = Callable[[Any, Any, Any], Awaitable[Any]]


def answering(method: Method) -> Method:
    """Make a method of the servicer answer errors so that the engine shows them on the row of the resource."""

    @functools.wraps(method)
    async def call(self: Any, request: Any, context: Any) -> Any:
        from pulumi_dli.plugin.rows import call_about  # noqa: PLC0415

        try:
            with call_about(getattr(request, "urn", "")):
                return await method(self, request, context)
        except DliError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, _shown(str(error)))
        except grpc.aio.AbortError:
            raise
        except Exception:  # noqa: BLE001  a defect: the engine shows it
            await context.abort(grpc.StatusCode.INTERNAL, traceback.format_exc())

    return call


def _shown(message: str) -> str:
    from pulumi_dli.jobs.screen import shown_text  # noqa: PLC0415
    from pulumi_dli.plugin.rows import spelled  # noqa: PLC0415

    return shown_text(spelled(message)).encode(errors="backslashreplace").decode()

"""The executable `pulumi-resource-dli`: Pulumi's engine starts it, reads its port, and calls it over gRPC.

pulumi-resource-dli [ENGINE_ADDRESS]
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version

from pulumi_dli.plugin.engine_messages import import_messages

_MAX_MESSAGE = 400 * 1024 * 1024
"""Bytes of a message, as the engine allows them."""
_GRACE = 4.0
"""Seconds for requests that are at work when the process is to end. The engine kills it after five (3.259)."""
_PARENT_PAUSE = 2.0
_HELP = """pulumi-resource-dli: the Pulumi provider for batch jobs on Data Lake Insight.

Pulumi starts this program by itself. Install it once, with the version that --version prints:

    pulumi plugin install resource dli VERSION --file venv/bin/pulumi-resource-dli
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the engine until it ends this process or has ended itself."""
    # Ask before the port is printed: from then on the engine may end at any time.
    engine = os.getppid()
    words = sys.argv[1:] if arguments is None else arguments
    if "--version" in words:
        print(version("pulumi-dli"))
        return
    if "--help" in words or "-h" in words:
        print(_HELP, end="")
        return
    gc.disable()  # the modules stay, so a collection would find nothing; `Configure` enables it
    address = next((word for word in words if ":" in word and not word.startswith("-")), "")
    asyncio.run(_serve(address, engine))
    sys.stdout.flush()
    os._exit(0)  # a thread may still wait for an answer of the service


async def _serve(engine_address: str, engine: int) -> None:
    import grpc.aio  # noqa: PLC0415  it takes long, and --version does not need it

    import_messages()
    from pulumi_dli.plugin.servicer import Servicer, add_to  # noqa: PLC0415

    ends = asyncio.Event()
    _on_signals(asyncio.get_running_loop(), ends)
    sizes = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
    server, servicer = grpc.aio.server(options=sizes), Servicer(engine_address)
    add_to(server, servicer)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        print(port, flush=True)
    except BrokenPipeError:  # the engine has ended already
        os._exit(1)
    await _until_end(ends, engine)
    servicer.interrupt()
    await server.stop(_GRACE)


def _on_signals(loop: asyncio.AbstractEventLoop, ends: asyncio.Event) -> None:
    """Set `ends` when a signal asks this process to end."""
    # Windows has no `loop.add_signal_handler`. There the engine sends CTRL_BREAK.
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: loop.call_soon_threadsafe(ends.set))


async def _until_end(ends: asyncio.Event, engine: int) -> None:
    """Return when this process is to end: after a signal, or when `engine`, the process that started it, has ended."""
    while not ends.is_set() and os.getppid() == engine:
        try:
            await asyncio.wait_for(ends.wait(), _PARENT_PAUSE)
        except TimeoutError:
            continue


if __name__ == "__main__":
    main()

"""A gRPC server of a test, which stands for a part of Pulumi."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

import grpc


class Servicer(Protocol):
    """What answers the calls. It learns its own address."""

    address: str


T = TypeVar("T", bound=Servicer)


@contextmanager
def serving(servicer: T, add: Callable[[T, grpc.Server], None], threads: int) -> Iterator[grpc.Server]:
    """Let a servicer answer at a free port of this machine, until the end of the block."""
    with ThreadPoolExecutor(threads) as executor:
        server = grpc.server(executor)
        add(servicer, server)
        servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield server
        finally:
            server.stop(0).wait()

"""The import of Pulumi's protocol without the rest of its SDK."""

import subprocess
import sys

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.project import clean_environment


def run(*lines: str) -> str:
    """Run a program in a process of its own, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def test_a_provider_that_has_given_its_schema_has_imported_the_messages_and_nothing_else_of_pulumi() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "pulumi_dli.plugin"]
    with subprocess.Popen(
        command, env=clean_environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as plugin:
        assert plugin.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(plugin.stdout.readline())}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            assert stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=30).schema
        plugin.terminate()
        _, imports = plugin.communicate(timeout=30)
    modules = {line.rpartition("|")[2].strip() for line in imports.splitlines()}
    of_pulumi = {name for name in modules if name.partition(".")[0] == "pulumi"}
    assert "pulumi.runtime.proto.provider_pb2" in of_pulumi
    assert not [name for name in of_pulumi if not name.startswith("pulumi.runtime.proto")]


def test_the_sdk_can_be_imported_afterwards_with_the_same_messages() -> None:
    printed = run(
        "from pulumi_dli.plugin.engine_messages import import_messages",
        "import_messages()",
        "from pulumi.runtime.proto import provider_pb2",
        "import pulumi, pulumi.provider.server",
        "print(pulumi.Output.__name__, pulumi.provider.server.proto.CheckRequest is provider_pb2.CheckRequest)",
    )
    assert printed == "Output True\n"


def test_a_process_that_has_the_sdk_keeps_it() -> None:
    printed = run(
        "import pulumi, sys",
        "from pulumi_dli.plugin.engine_messages import import_messages",
        "import_messages()",
        "print(sys.modules['pulumi'] is pulumi)",
    )
    assert printed == "True\n"

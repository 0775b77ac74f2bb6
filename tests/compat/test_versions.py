"""The program and the provider process both run the version that a test asks for."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.compat.versions import TODAY, unpack_0_1_0
from tests.project import Project

PROGRAM = """
    import sys
    from pulumi import dynamic

    class Witness(dynamic.ResourceProvider):
        def create(self, props):
            import pulumi_dli
            return dynamic.CreateResult("witness", {"package": pulumi_dli.__file__})

    class Package(dynamic.Resource):
        package: pulumi.Output[str]

    pulumi.export("provider", Package(Witness(), "witness", {"package": None}).package)
    pulumi.export("program", dli.__file__)
"""
CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("version", ["0.1.0", "today"])
def test_program_and_provider_import_the_same_version(version: str, tmp_path: Path, local_dli: Service) -> None:
    folder = tmp_path / "0.1.0" if version == "0.1.0" else CHECKOUT
    variables = unpack_0_1_0(folder) if version == "0.1.0" else TODAY
    project = Project(tmp_path / "project", local_dli.environment)
    project.write(PROGRAM)
    project.up(**variables)
    expected = str(folder / "pulumi_dli" / "__init__.py")
    assert [project.output("program"), project.output("provider")] == [expected, expected]

"""Build Pulumi's language hosts, and the SDK generator, from Go modules; print the folders to put on PATH.

language_hosts.py [yaml] [nodejs] [go] [generate-sdk]

Each is built once, from the versions that its go.mod and go.sum pin. It is kept in the cache folder of
scripts/pulumi_cli.py. Only the tests and `make sdks` need them: the CLI that users install brings its own hosts.
Progress goes to stderr.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from go_programs import (
    SCRIPTS,
    SDK,
    Program,
    SourceError,
    build,
    cache_root,
    find_go,
    keep,
    leave_through_the_clean_up,
    log,
    missing_files,
    one_at_a_time,
    recipe_hash,
)

PROGRAMS = {
    # The newest that is in the module proxy. It brings its own version of the SDK.
    "yaml": Program(
        "pulumi-language-yaml",
        SCRIPTS / "pulumi-language-yaml",
        "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
        "1.25.0",
    ),
    # 3.68 and 3.62 are the last whose Node.js host and Go host are part of the SDK module. They work under newer CLIs.
    "nodejs": Program(
        "pulumi-language-nodejs",
        SCRIPTS / "pulumi-language-nodejs",
        f"{SDK}/nodejs/cmd/pulumi-language-nodejs",
        "3.68.0",
    ),
    "go": Program("pulumi-language-go", SCRIPTS / "pulumi-language-go", f"{SDK}/go/pulumi-language-go", "3.62.0"),
    "generate-sdk": Program("generate-sdk", SCRIPTS / "generate-sdk", ".", "3.259.0"),
}


def folder_of(program: Program, environ: Mapping[str, str]) -> Path:
    """Return where a program is kept."""
    return cache_root(environ) / f"{program.name}-{program.version}-{recipe_hash(program.version, [program])}"


def provide(program: Program, environ: Mapping[str, str]) -> Path:
    """Return the folder of a program, and build it if it is not there yet."""
    folder, root = folder_of(program, environ), cache_root(environ)

    def fill(work: Path) -> Path:
        go, env = find_go(root, [program])
        log(f"building {program.name} {program.version} from Go modules, 1 to 3 minutes on two cores, this once")
        target = work / "bin"
        target.mkdir()
        build(program, target, go, env)
        return target

    with one_at_a_time(root / f"{folder.name}.lock"):
        if missing_files(folder, [program.name]):
            began = time.monotonic()
            keep(fill, folder, [program.name])
            log(f"{program.name} is ready after {time.monotonic() - began:.0f} s, kept in {folder}")
    return folder


def main(names: Sequence[str]) -> int:
    """Provide the named programs."""
    if unknown := [name for name in names if name not in PROGRAMS]:
        print(f"There is no {unknown[0]!r}. Choose from: {', '.join(PROGRAMS)}.", file=sys.stderr)
        return 2
    leave_through_the_clean_up()
    try:
        folders = [provide(PROGRAMS[name], os.environ) for name in names]
    except (SourceError, OSError, subprocess.SubprocessError) as error:
        print(f"\nA language host could not be built:\n  {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        log("interrupted; nothing unfinished was kept")
        return 130
    print(os.pathsep.join(map(str, folders)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PROGRAMS)))

"""The demo: a local DLI with real Spark, and a real `pulumi up` of examples/wordcount on it. Called by `make demo`.

demo.py [FOLDER]: everything that is written goes into the folder, by default .demo, which is emptied first.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "wordcount"
DEMO = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".demo").absolute()
MOST_WORDS = 10


def print_heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


@contextmanager
def local_dli(data: Path) -> Iterator[dict[str, str]]:
    """Run a local DLI; give its credentials."""
    command = [sys.executable, "-m", "pulumi_dli.local", "serve", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = server.stdout.readline() if server.stdout else ""
            if not ready:
                raise SystemExit("The local DLI did not start; the reason stands above.")
            print(ready.rstrip(), flush=True)
            yield json.loads((data / "credentials.json").read_text())
        finally:
            server.terminate()
            server.wait(timeout=60)


def environment(credentials: dict[str, str]) -> dict[str, str]:
    """Make the environment of an isolated Pulumi that signs in to the local DLI."""
    state = DEMO / "state"
    state.mkdir()
    return {
        **os.environ,
        "DLI_ENDPOINT": credentials["endpoint"],
        "DLI_REGION": credentials["region"],
        "DLI_PROJECT_ID": credentials["project_id"],
        "OS_ACCESS_KEY": credentials["access_key"],
        "OS_SECRET_KEY": credentials["secret_key"],
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_HOME": str(DEMO / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "demo",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def fill_bucket(bucket: Path) -> None:
    """Put the job and the text where the program expects them."""
    for folder in ("jobs", "in"):
        (bucket / folder).mkdir(parents=True)
    shutil.copy(EXAMPLE / "jobs" / "wordcount.py", bucket / "jobs")
    subprocess.run([sys.executable, str(EXAMPLE / "make_text.py"), str(bucket / "in" / "text.txt")], check=True)


def show_counts(output: Path) -> None:
    lines = [line for part in sorted(output.glob("part-*")) for line in part.read_text().splitlines()]
    print_heading(f"What Spark wrote to obs://demo/out: {len(lines)} words, these most often")
    for line in lines[:MOST_WORDS]:
        word, count = line.split("\t")
        print(f"{count:>8}  {word}")


def main() -> None:
    started = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)
    project = DEMO / "wordcount"
    shutil.copytree(EXAMPLE, project)
    print_heading("Local DLI, with real Spark")
    with local_dli(DEMO / "dli") as credentials:
        fill_bucket(DEMO / "dli" / "obs" / "demo")

        def pulumi(*arguments: str) -> None:
            print_heading(f"pulumi {' '.join(arguments)}")
            subprocess.run(["pulumi", *arguments], cwd=project, env=env, check=True)

        env = environment(credentials)
        pulumi("stack", "init", "dev")
        pulumi("up", "--yes", "--skip-preview")
        show_counts(DEMO / "dli" / "obs" / "demo" / "out")
        pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
        pulumi("destroy", "--yes", "--skip-preview")
    print_heading(f"Done in {time.monotonic() - started:.0f} s. The program is examples/wordcount/__main__.py")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"\nThe demo did not work: `{' '.join(error.cmd)}` ended with {error.returncode}; the reason stands above."
        )
    except KeyboardInterrupt:
        sys.exit("\nStopped.")

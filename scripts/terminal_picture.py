"""Draws docs/pictures/up.svg: the terminal after a real `pulumi up` on a local DLI with real Spark.

The program of docs/pictures/up has two jobs. The second one fails, so that the picture shows how a failure looks.
"""

import contextlib
import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
from collections.abc import Mapping
from pathlib import Path

import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.environment import environment_of
from pulumi_dli.local.server import LocalDli

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "pictures" / "up"
PICTURE = SOURCE.with_suffix(".svg")
COLUMNS, ROWS = 104, 60
COMMAND = ("pulumi", "up", "--yes", "--skip-preview")

HOME = b"/home/anna"
"""What the picture shows for the temporary folder."""

WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""The form of the picture. Rich's own form loads its fonts from another server."""

COLOURS = {"brown": "yellow", "brightbrown": "bright_yellow", "default": None}
"""Names of colours in pyte that rich has other names for."""


def colour_of(name: str) -> str | None:
    """Return rich's name of a colour of pyte: one of eight, bright or not, or six hexadecimal digits."""
    if name in COLOURS:
        return COLOURS[name]
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    return re.sub(r"^bright(?=[a-z])", "bright_", name)


def screen_of(command: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> pyte.Screen:
    """Run a command on a terminal of its own; give what is on the screen at the end."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(command[0], command, dict(environment))  # noqa: S606  a list needs no shell
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    written = b""
    with contextlib.suppress(OSError):  # Linux reports the end of the other side as an error
        while read := os.read(terminal, 65536):
            written += read
    os.waitpid(process, 0)
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(written.replace(str(folder.parent).encode(), HOME))
    return screen


def lines_of(screen: pyte.Screen) -> list[Text]:
    """Return the lines of a screen with their colours, without empty ones at the end."""
    lines = []
    for row in range(ROWS):
        line = Text()
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            line.append(cell.data, Style(color=colour_of(cell.fg), bold=cell.bold, underline=cell.underscore))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def draw(lines: list[Text]) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(line, soft_wrap=True)
    title = " ".join(COMMAND[:2])
    return console.export_svg(title=title, theme=MONOKAI, unique_id="terminal", code_format=WITHOUT_FONTS)


def variables_of(account: Credentials, folder: Path) -> dict[str, str]:
    """Return the environment of an isolated Pulumi that signs in to the local DLI."""
    return {
        **os.environ,
        **environment_of(account),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "picture",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TERM": "xterm-256color",
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        project = folder / "project"
        shutil.copytree(SOURCE, project)
        (folder / "state").mkdir()
        shutil.move(project / "jobs", folder / "dli" / "obs" / "demo" / "jobs")
        with LocalDli(folder / "dli", port=8090) as server:
            environment = variables_of(server.credentials, folder)
            subprocess.run(["pulumi", "stack", "init", "dev"], cwd=project, env=environment, check=True)
            screen = screen_of(COMMAND, project, environment)
        PICTURE.write_text(draw(lines_of(screen)), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Write the source of the SDKs for TypeScript, Python and Go, from schema.json. Called by `make sdks`.

sdks.py [FOLDER]: each language gets a folder in FOLDER, by default dist/sdks. Users write their own SDK with
`pulumi package add`; these are for the tests and for a release.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("nodejs", "python", "go")


def main(arguments: Sequence[str]) -> int:
    """Replace the folder of each language."""
    target = Path(next(iter(arguments), ROOT / "dist" / "sdks")).absolute()
    provide = [sys.executable, ROOT / "scripts" / "language_hosts.py", "generate-sdk"]
    found = subprocess.run(provide, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        return found.returncode
    generator = Path(found.stdout.strip()) / "generate-sdk"
    for language in LANGUAGES:
        shutil.rmtree(target / language, ignore_errors=True)
        subprocess.run([generator, language, ROOT / "schema.json", target / language], check=True)
    print(f"The SDKs for TypeScript, Python and Go are in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

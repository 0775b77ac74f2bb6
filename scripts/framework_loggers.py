"""Writes the names of the loggers of Spark and its libraries, from the jars of the installed pyspark.

Spark prints only the class of a logger, without its package, so the driver log itself does not tell whether a line is
the framework's. Run it when a new line of Spark logs under new names: `python scripts/framework_loggers.py`.
"""

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyspark

TARGET = Path(__file__).parent.parent / "pulumi_dli" / "spark_logs" / "framework_loggers.txt"

PACKAGES = re.compile(r"(org/apache/|org/sparkproject/|org/datanucleus/|DataNucleus/)")
DRIVER = re.compile(r"org/(apache/(spark|hadoop|hive|parquet|orc|hudi|iceberg)|sparkproject|datanucleus)/")
UNUSED = re.compile(
    r"apache/.*/(protocolPB|expressions(?!/codegen)|service/cli|ml|mllib|graphx|yarn|registry|udf|vector)/"
)
LOGS = (b"org/apache/spark/internal/Logging", b"LoggerFactory", b"util/log/Logger", b"log4j/Logger", b"LogFactory")

# Names of one word could be classes of a job: of them, only those that Spark's driver logs.
TWO_WORDS = re.compile(r".*[A-Z].*[A-Z]")
ONE_WORD = {
    "Executor",
    "Inbox",
    "Master",
    "Worker",
    "audit",
    "metastore",
    "Server",
    "Utils",
    "Hive",
    "Configuration",
    "Groups",
    "Persistence",
    "Datastore",
}

# The sizes of the constants of a class file by their tags (Java Virtual Machine Specification 17, table 4.4-A).
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
TEXT, CLASS, WIDE = 1, 7, (5, 6)


def parent_of(code: bytes) -> str:
    """Return the name of the class that a class extends."""
    count, position = struct.unpack_from(">H", code, 8)[0], 10
    texts: dict[int, str] = {}
    classes: dict[int, int] = {}
    index = 1
    while index < count:
        tag = code[position]
        if tag == TEXT:
            size = struct.unpack_from(">H", code, position + 1)[0]
            texts[index] = code[position + 3 : position + 3 + size].decode("utf-8", "replace")
            position += 3 + size
        else:
            if tag == CLASS:
                classes[index] = struct.unpack_from(">H", code, position + 1)[0]
            position += 1 + SIZES[tag]
        index += 2 if tag in WIDE else 1
    parent = struct.unpack_from(">H", code, position + 4)[0]
    return texts[classes[parent]] if parent else ""


def code_of_classes() -> Iterator[tuple[str, bytes]]:
    for jar in sorted((Path(pyspark.__file__).parent / "jars").glob("*.jar")):
        with zipfile.ZipFile(jar) as archive:
            for entry in archive.namelist():
                if PACKAGES.match(entry) and entry.endswith(".class"):
                    yield entry.removesuffix(".class"), archive.read(entry)


def loggers() -> set[str]:
    """Return the names of the classes that log, or extend one that does, without their packages."""
    parents, logs = {}, set()
    for name, code in code_of_classes():
        parents[name] = parent_of(code)
        logs |= {name for mark in LOGS if mark in code}
    used = {name for name in with_subclasses(logs, parents) if DRIVER.match(name) and not UNUSED.search(name)}
    return {name.rpartition("/")[2].split("$")[0] for name in used}


def with_subclasses(classes: set[str], parents: dict[str, str]) -> set[str]:
    """Return the classes, and all that extend one of them."""
    all_classes = set(classes)
    while subclasses := {name for name, parent in parents.items() if parent in all_classes} - all_classes:
        all_classes |= subclasses
    return all_classes


if __name__ == "__main__":
    found = {name for name in loggers() if TWO_WORDS.match(name)} | ONE_WORD
    TARGET.write_text("".join(f"{name}\n" for name in sorted(found)))
    print(f"{TARGET.name}: {len(found)} names")

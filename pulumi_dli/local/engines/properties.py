"""Files of Java properties, and paths in their values."""

from __future__ import annotations

from pathlib import Path


def properties_file(properties: dict[str, str]) -> str:
    """Write a Java properties file. Every character that could have a meaning in the format becomes an escape."""

    def escape(text: str) -> str:
        units = text.encode("utf-16-be", "surrogatepass")
        codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
        return "".join(chr(code) if code < 128 and chr(code).isalnum() else f"\\u{code:04x}" for code in codes)

    return "".join(f"{escape(key)}={escape(value)}\n" for key, value in properties.items())


def hadoop_path(path: Path) -> str:
    """Write a path for a property that Hadoop reads as a `Path`: a URI without escapes."""
    return f"file:{path}"

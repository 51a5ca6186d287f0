"""Runs the README's Python and Node examples as they stand there; the Rust one is a doc test of the core."""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def run(command: list[str], suffix: str, source: str, folder: pathlib.Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=suffix, dir=folder, encoding="utf-8") as file:
        file.write(source)
        file.flush()
        subprocess.run([*command, file.name], check=True, cwd=ROOT)


def main() -> None:
    python, node = blocks("python"), blocks("js")
    if not python or not node:
        sys.exit("README.md has lost an example")
    for source in python:
        run([sys.executable], ".py", source, ROOT)
    for source in node:
        run(["node"], ".mjs", source, ROOT / "bindings-node")
    print(f"README: {len(python)} Python and {len(node)} Node examples ran")


if __name__ == "__main__":
    main()

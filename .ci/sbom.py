"""Write what each extra of overread installs, a CycloneDX file for each: `python .ci/sbom.py --out sbom`.

The versions are those of the environment it runs in; an extra that is not installed there whole is left out, and said.
"""

from __future__ import annotations

import argparse
import platform
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME, BASE = "overread", "base"
# What developers install, and users never.
_NOT_SHIPPED = ("dev", "docs", "fuzz")
_LONGEST_LICENCE = 60


class Absent(Exception):
    """A requirement is not installed here."""


def main() -> None:
    """Write a file for the bare package and for each extra that is installed whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("sbom"), help="folder")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    extras = distribution(NAME).metadata.get_all("Provides-Extra", [])
    for extra in [BASE, *(extra for extra in extras if extra not in _NOT_SHIPPED)]:
        try:
            bom = bill_of(extra)
        except Absent as absent:
            print(f"{extra} is left out: {absent} is not installed here", file=sys.stderr)
            continue
        path = out / f"{NAME}-{extra}.cdx.json"
        path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
        print(f"{path}: {len(bom.components)} packages")


def bill_of(extra: str) -> Bom:
    """All that `pip install overread[extra]` brings, and what of it needs what.

    Raises:
        Absent: a part of it is not installed here.
    """
    edges = _closure(NAME, "" if extra == BASE else extra)
    components = {name: _component(distribution(name)) for name in sorted(edges)}
    bom = Bom(components=[component for name, component in components.items() if name != NAME])
    bom.metadata.component = components[NAME]
    where = f"Python {platform.python_version()}, {sys.platform}, {platform.machine()}"
    bom.metadata.properties.add(Property(name=f"{NAME}:resolved-for", value=where))
    bom.metadata.properties.add(Property(name=f"{NAME}:extra", value=extra))
    for name, needed in edges.items():
        bom.register_dependency(components[name], [components[other] for other in sorted(needed)])
    # The same packages make the same file: no time of writing, and a serial number that follows from them.
    bom.metadata.timestamp = None  # type: ignore[assignment]
    names = "\n".join(str(component.purl) for component in components.values())
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{extra}\n{where}\n{names}")
    return bom


def _closure(name: str, extra: str) -> dict[str, set[str]]:
    """Each package that is needed, and which others it needs."""
    edges: dict[str, set[str]] = {}
    waiting, seen = [(name, extra)], set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        needed = edges.setdefault(one[0], set())
        for other, extras in _requirements(*one):
            if other != one[0]:
                needed.add(other)
            waiting += [(other, each) for each in ("", *extras)]
    return edges


def _requirements(name: str, extra: str) -> Iterator[tuple[str, set[str]]]:
    """What a package with one of its extras requires here, and with which extras of that."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        raise Absent(name) from None
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield canonicalize_name(requirement.name), requirement.extras


def _component(package: Distribution) -> Component:
    name, version = canonicalize_name(package.metadata["Name"]), package.version
    purl = PackageURL("pypi", name=name, version=version)
    makes = LicenseFactory()
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if name == NAME else ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        description=package.metadata.get("Summary"),
        licenses=[makes.make_from_string(licence) for licence in _licences(package)],
    )


def _licences(package: Distribution) -> list[str]:
    """As the package declares them: an expression, a name, or its classifiers; not the text that some put there."""
    declared = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    if declared not in ("", "UNKNOWN") and "\n" not in declared and len(declared) <= _LONGEST_LICENCE:
        return [declared]
    classifiers = package.metadata.get_all("Classifier", [])
    return [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]


if __name__ == "__main__":
    main()

"""Reads the frameworks: every control is mapped to probes, or outside of the software with the evidence to attach."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from compliance.errors.posture import ControlNotFound, FrameworkNotFound
from compliance.posture.catalog import PROBES

FOLDER: Final = Path(__file__).parent / "frameworks"
#: In the order of the pages.
NAMES: Final = ("gdpr", "hipaa", "soc2", "pci_dss")


@dataclass(frozen=True)
class Control:
    """One sub-requirement: its number in its framework, and its subject in words of our own.

    Either ``probes`` name what tries it, or ``outside`` says why no software can and ``evidence`` what to attach.
    """

    id: str
    framework: str
    number: str
    title: str
    subject: str
    probes: tuple[str, ...] = ()
    outside: str = ""
    evidence: str = ""

    @property
    def is_probed(self) -> bool:
        return bool(self.probes)


@dataclass(frozen=True)
class Framework:
    """A law, standard or set of criteria, and the controls of it that the vault maps to. ``source`` names its text."""

    name: str
    title: str
    source: str
    controls: tuple[Control, ...]


class BadFramework(Exception):
    """A file of a framework does not say what it must; the message names the file and the control."""


def read_framework(name: str, document: Mapping[str, Any]) -> Framework:
    """Raises BadFramework: a member is missing or unknown, a number stands twice, or a probe does not exist."""
    controls = tuple(_control(name, row) for row in document["control"])
    numbers = [one.number for one in controls]
    if len(set(numbers)) != len(numbers):
        msg = f"{name}: a number stands twice"
        raise BadFramework(msg)
    return Framework(name, document["title"], document["source"], controls)


def _control(framework: str, row: Mapping[str, Any]) -> Control:
    where = f"{framework} {row.get('number', '?')}"
    needed, others = {"number", "title", "subject"}, {"probes", "outside", "evidence"}
    if not needed <= set(row) or set(row) - needed - others:
        msg = f"{where}: members are {sorted(row)}"
        raise BadFramework(msg)
    probes = tuple(row.get("probes", ()))
    is_outside = bool(row.get("outside")) and bool(row.get("evidence"))
    if bool(probes) == is_outside or bool(row.get("outside")) != bool(row.get("evidence")):
        msg = f"{where}: either probes, or outside with evidence"
        raise BadFramework(msg)
    if unknown := [one for one in probes if one not in PROBES]:
        msg = f"{where}: there is no probe {unknown[0]}"
        raise BadFramework(msg)
    return Control(
        id=f"{framework}-{row['number']}",
        framework=framework,
        number=row["number"],
        title=row["title"],
        subject=row["subject"],
        probes=probes,
        outside=row.get("outside", ""),
        evidence=row.get("evidence", ""),
    )


@cache
def frameworks() -> Mapping[str, Framework]:
    """All of them, in the order of NAMES. Raises BadFramework, also where a probe is mapped nowhere."""
    found = {name: read_framework(name, tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))) for name in NAMES}
    require_use(found.values())
    return found


def require_use(found: Iterable[Framework]) -> None:
    """Raises BadFramework for a probe that no control is mapped to."""
    used = {name for framework in found for control in framework.controls for name in control.probes}
    if idle := sorted(set(PROBES) - used):
        msg = f"the probe {idle[0]} is mapped nowhere"
        raise BadFramework(msg)


def framework_of(name: str) -> Framework:
    """Raises FrameworkNotFound."""
    if name not in frameworks():
        raise FrameworkNotFound
    return frameworks()[name]


def find_control(control_id: str) -> Control:
    """Raises ControlNotFound."""
    for framework in frameworks().values():
        for control in framework.controls:
            if control.id == control_id:
                return control
    raise ControlNotFound


def name_in_audit(control_id: str) -> str:
    """The id of a control as decisions name it; empty for what somebody typed that is none."""
    return control_id if any(one.id == control_id for one in all_controls()) else ""


def all_controls() -> list[Control]:
    return [control for framework in frameworks().values() for control in framework.controls]

"""Write the parts of docs/reference that the code itself knows: errors, configuration, events."""

import ast
import inspect
import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from access.policy.reference_page import render_roles
from anonymization.policies.reference_page import render_policies
from audit.catalog.schemas import schemas, topics_of_types
from audit.catalog.topics import topic_of
from vaultsite import config
from vaultsite.config import SECRETS, VaultConfig
from vaultsite.kernel.errors import RANGES, VaultError, catalogue
from vaultsite.kernel.events import event
from vaultsite.kernel.events.event import EventType

_GENERATED: Final = "<!-- Written by `make docs` from the code; edit the code instead. -->"
_CATEGORIES: Final = {
    "AUTH": "Authentication",
    "AUTHZ": "Authorization, people and grants",
    "VALID": "Requests",
    "DATA": "Datasets, versions, records, uploads",
    "CRYPTO": "Keys and sealing",
    "ANON": "Detection and anonymization",
    "AUDIT": "Audit",
    "COMP": "Compliance",
    "SYS": "The service itself",
}


class Command(BaseCommand):
    help = "Write docs/reference/{errors,configuration,events,anonymization-policies,roles}.md from the code."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is out of date")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        folder = Path(settings.BASE_DIR) / "docs" / "reference"
        pages = render_reference()
        stale = [name for name, text in pages.items() if _read(folder / name) != text]
        if check and stale:
            message = f"out of date, run make docs: {', '.join(stale)}"
            raise CommandError(message)
        for name in stale:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(pages[name], encoding="utf-8")
            self.stdout.write(f"wrote docs/reference/{name}")


def render_reference() -> dict[str, str]:
    """File name -> text, for every generated page."""
    pages: Mapping[str, Callable[[], Iterable[str]]] = {
        "errors.md": _errors,
        "configuration.md": _configuration,
        "events.md": _events,
        "anonymization-policies.md": lambda: render_policies(_GENERATED),
        "roles.md": lambda: render_roles(_GENERATED),
    }
    return {name: "\n".join(render()) + "\n" for name, render in pages.items()} | _schemas()


def _schemas() -> dict[str, str]:
    """The schemas of events, and which topic and other names each type has."""
    found = {**schemas(), "types.json": topics_of_types()}
    return {f"events/{name}": json.dumps(content, indent=2, sort_keys=True) + "\n" for name, content in found.items()}


def _errors() -> Iterable[str]:
    for package in sorted({package for _, package in RANGES.values()} - {"vaultsite"}):
        _import_errors_of(package)
    known = [error for error in catalogue() if not error.__module__.startswith("tests.")]
    yield from (
        "# Errors",
        "",
        _GENERATED,
        "",
        "Every error is a problem document (RFC 9457, `application/problem+json`) with `type`, `title`, `status`,",
        "`code`, `trace_id` (the `X-Request-ID` of the answer), and where they help `detail`, `errors[]` (`field`,",
        "`detail`, `line`) and further members. `type` is `urn:llm-data-vault:error:` and the slug. Codes are stable;",
        "titles are for people. No error repeats a value it refuses. *Denied* errors are recorded in the audit as",
        "denials, all others as failures.",
    )
    for prefix, (numbers, _) in RANGES.items():
        rows = [error for error in known if error.code.startswith(f"VAULT_{prefix}_")]
        if rows:
            yield from ("", f"## {prefix} {numbers[0]}-{numbers[-1]}: {_CATEGORIES[prefix]}", "")
            yield from _table(("code", "slug", "status", "meaning"), map(_error_row, rows))


def _error_row(error: type[VaultError]) -> tuple[str, ...]:
    remarks = [f"{error.title}."]
    own = error.__dict__.get("__doc__")
    if own:
        remarks.append(" ".join(inspect.cleandoc(own).split()))
    if error.outcome == "denied":
        remarks.append("*Denied.*")
    if error.retry_after is not None:
        remarks.append(f"Worth trying again after {error.retry_after} s.")
    return (f"`{error.code}`", f"`{error.slug}`", str(error.status), " ".join(remarks))


def _configuration() -> Iterable[str]:
    yield from (
        "# Configuration",
        "",
        _GENERATED,
        "",
        "Read from `vault.toml` in the working directory (or the file that `VAULT_CONFIG` names), then from the",
        "environment, which wins. An unknown member of the file, or a value of the wrong type, stops the start. In the",
        "environment lists are separated by commas, and options are written as TOML. Secrets may be given as files:",
        "`VAULT_SECRET_KEY_FILE`.",
        "",
    )
    comments = _comments(config, "VaultConfig")
    rows = [_option_row(item, comments.get(item.name, "")) for item in fields(VaultConfig)]
    yield from _table(("member", "environment", "default", "meaning"), rows)


def _option_row(item: Field[Any], comment: str) -> tuple[str, ...]:
    variable = f"VAULT_{item.name.upper()}"
    secret = f", `{variable}_FILE`" if item.name in SECRETS else ""
    return (f"`{item.name}`", f"`{variable}`{secret}", _default(item), comment)


def _default(item: Field[Any]) -> str:
    value = item.default_factory() if item.default_factory is not MISSING else item.default
    if isinstance(value, tuple):
        value = ",".join(value)
    elif isinstance(value, int):
        value = f"{value:_}" if value > 9999 else value  # noqa: PLR2004 - long numbers are grouped
    return f"`{value}`" if value else ""


def _events() -> Iterable[str]:
    yield from (
        "# Events",
        "",
        _GENERATED,
        "",
        "Each is one row of the audit, written in the transaction of what it tells of, and handed on through the",
        "outbox. A failed operation leaves its decision event alone, with `status` `denied` or `failure`.",
        "The shapes in which events leave are JSON Schemas in [events/](events/); `types.json` there lists topics and",
        "other names of every type.",
        "",
    )
    comments = _comments(event, "EventType")
    rows = [(f"`{kind}`", f"`{topic_of(kind)}`", comments.get(kind.name, "")) for kind in EventType]
    yield from _table(("type", "topic", "tells that"), rows)


def _comments(module: ModuleType, class_name: str) -> dict[str, str]:
    """The ``#:`` comments above the members of a class, by member."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    (found,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == class_name)
    comments = {}
    for statement in found.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                comments[name] = _comment_above(lines, statement.lineno - 1)
    return comments


def _comment_above(lines: list[str], index: int) -> str:
    words: list[str] = []
    while lines[index - 1].strip().startswith("#:"):
        index -= 1
        words.insert(0, lines[index].strip().removeprefix("#:").strip())
    return " ".join(words).replace("``", "`")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    for row in (header, ("---",) * len(header), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("``", "`") for cell in row) + " |"


def _import_errors_of(package: str) -> None:
    """Import the modules that define errors, so that the catalogue is whole whatever else has been imported."""
    root = Path(settings.BASE_DIR)
    for module in sorted([*(root / package).rglob("errors.py"), *(root / package).glob("errors/[a-z]*.py")]):
        import_module(".".join(module.relative_to(root).with_suffix("").parts))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""

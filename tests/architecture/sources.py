"""Our own Python files as syntax trees."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("vaultsite", "access", "audit", "anonymization", "datasets", "compliance")


@cache
def source_files() -> tuple[Path, ...]:
    """Every file of the product, without tests and migrations."""
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(path for path in found if "migrations" not in path.parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def name_of(path: Path) -> str:
    """``datasets/api/views.py`` -> ``datasets.api.views``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

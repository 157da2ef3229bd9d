"""The catalogue of errors: one class a code, each code raised somewhere, each class of the right app."""

import ast
import re
from functools import cache
from importlib import import_module

import pytest

from tests.architecture.sources import PACKAGES, ROOT, name_of, source_files, tree_of
from vaultsite.kernel.errors import RANGES, VaultError, catalogue

#: Codes the catalogue may hold: every app's errors are imported, whether or not the app is installed.
for path in source_files():
    if path.name == "errors.py" or path.parent.name == "errors":
        import_module(name_of(path))

_WORD = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")
ERRORS = [error for error in catalogue() if not error.__module__.startswith("tests.")]


def test_every_app_has_its_errors_in_the_catalogue():
    assert {error.__module__.partition(".")[0] for error in ERRORS} >= {"vaultsite", "access", "audit", "datasets"}


def test_a_code_and_a_slug_name_one_error_each():
    assert len({error.code for error in ERRORS}) == len(ERRORS)
    assert len({error.slug for error in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_an_error_is_fully_described(error):
    prefix, number = re.fullmatch(r"VAULT_([A-Z]+)_([0-9]{4})", error.code).groups()
    numbers, package = RANGES[prefix]
    assert int(number) in numbers
    assert error.__module__.partition(".")[0] == package
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error.slug)
    assert 400 <= error.status < 600
    assert error.title
    assert not error.title.endswith(".")
    assert error.outcome in ("failure", "denied")
    assert not re.search(r"\{|%s", error.title)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_code_is_raised_by_the_product(error):
    """Named outside of its definition, imports and except clauses: raised, or handed on to what raises it."""
    assert error.__name__ in _used_names(), f"{error.__name__} is never raised: a code enters when code raises it"


#: Answers of SCIM tell no code: those without a keyword are a status and a text.
PROVOKED = [error for error in ERRORS if "_AUTH" in error.code and getattr(error, "scim_type", None) != ""]


@pytest.mark.parametrize("error", PROVOKED, ids=lambda error: error.code)
def test_every_refusal_of_access_is_provoked_by_a_test(error):
    """Some test names it: by its code, its slug or its class, or by the keyword that SCIM has for it."""
    named = {error.code, error.slug, error.__name__, getattr(error, "scim_type", "")}
    assert named & _words_of_tests(), f"no test provokes {error.__name__}"


@cache
def _words_of_tests() -> frozenset[str]:
    """Names, codes and slugs in the tests of behaviour."""
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if path.parent.name != "architecture"]
    return frozenset(word for path in files for word in _WORD.findall(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("code", ["VAULT_VALID_4001", "VAULT_NONE_1001", "VAULT_VALID_x", "VAULT_VALID_3001"])
def test_a_code_out_of_range_or_taken_cannot_be_defined(code):
    with pytest.raises(TypeError):
        type("Impostor", (VaultError,), {"code": code, "__module__": "vaultsite.kernel.errors"})


@cache
def _used_names() -> set[str]:
    used: set[str] = set()
    for path in source_files():
        tree = tree_of(path)
        caught = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.ExceptHandler) and node.type
            for part in ast.walk(node.type)
        }
        bases = {id(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
        for node in ast.walk(tree):
            if id(node) in caught or id(node) in bases:
                continue
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    return used


def test_the_packages_of_the_house_are_all_looked_at():
    assert {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} == {*PACKAGES, "tests"}

"""Loads presidio-analyzer by need: its packages import everything they have, spaCy among it, which no worker uses.

With this finder in place a package of presidio's gives the same names as before, but imports a module when one of its
names is first asked for. spaCy is loaded when an engine of presidio's is, and not for the sake of annotations. Patterns
are compiled when they first run instead of once more when they are made.
"""

import __future__

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final

_ROOT: Final = "presidio_analyzer"
#: Names spaCy's classes in annotations alone.
_ARTIFACTS: Final = f"{_ROOT}.nlp_engine.nlp_artifacts"
_PATTERN: Final = f"{_ROOT}.pattern"
#: The private name of a pattern's check.
_CHECK: Final = "_Pattern__validate_regex"


class LightFinder(MetaPathFinder):
    """Finds presidio's modules where Python finds them, and has some of them loaded in another way."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _ROOT:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return spec
        if spec.submodule_search_locations is not None:
            spec.loader = _PackageLoader(fullname, spec.loader.path)
        elif fullname == _ARTIFACTS:
            spec.loader = _UnannotatedLoader(fullname, spec.loader.path)
        elif fullname == _PATTERN:
            spec.loader = _PatternLoader(fullname, spec.loader.path)
        return spec


def install_light_presidio() -> None:
    """From now on; what has been imported already stays as it is."""
    if not any(isinstance(finder, LightFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LightFinder())


class _PackageLoader(SourceFileLoader):
    """Runs a package without its imports from presidio, and does those when a name is asked for.

    So are assignments made from names that are not there yet.
    """

    def exec_module(self, module: ModuleType) -> None:  # noqa: C901 - three small closures over one module
        tree = ast.parse(self.get_data(self.path), self.path)
        sources: dict[str, tuple[str, str]] = {}
        made: dict[str, ast.Assign] = {}
        kept: list[ast.stmt] = []
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom) and (source := _source(statement, self.name)):
                sources |= {alias.asname or alias.name: (source, alias.name) for alias in statement.names}
            elif isinstance(statement, ast.Assign) and not sources.keys().isdisjoint(_names(statement.value)):
                made |= {name: statement for target in statement.targets for name in _names(target)}
            else:
                kept.append(statement)

        def run(*statements: ast.stmt) -> None:
            code = compile(ast.Module([*statements], []), self.path, "exec")
            exec(code, module.__dict__)  # noqa: S102 - the package's own code

        def found(name: str) -> Any:
            if name in made:
                for used in sources.keys() & _names(made[name].value):
                    found(used)
                run(made[name])
            elif name in sources:
                source, member = sources[name]
                setattr(module, name, getattr(import_module(source), member))
            else:
                raise AttributeError(f"module {self.name!r} has no attribute {name!r}")
            return module.__dict__[name]

        module.__getattr__ = found  # type: ignore[method-assign]  # PEP 562
        run(*kept)
        for name, (source, _) in sources.items():
            if source == f"{self.name}.{name}":
                found(name)  # the module would hide its member of the same name


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _source(statement: ast.ImportFrom, package: str) -> str:
    """The module of presidio's that an import in a package is from; empty for others."""
    if statement.level == 1:
        return f"{package}.{statement.module}"
    module = statement.module or ""
    return module if not statement.level and module.partition(".")[0] == _ROOT else ""


class _UnannotatedLoader(SourceFileLoader):
    """Runs a module without its imports from spaCy, and without looking at annotations."""

    def exec_module(self, module: ModuleType) -> None:
        tree = ast.parse(self.get_data(self.path), self.path)
        tree.body = [one for one in tree.body if not (isinstance(one, ast.ImportFrom) and _is_spacy(one))]
        code = compile(tree, self.path, "exec", flags=__future__.annotations.compiler_flag)
        exec(code, module.__dict__)  # noqa: S102 - the module's own code


def _is_spacy(statement: ast.ImportFrom) -> bool:
    return (statement.module or "").partition(".")[0] == "spacy"


class _PatternLoader(SourceFileLoader):
    """Leaves the check of a pattern to the compiling that follows anyway."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        setattr(module.Pattern, _CHECK, staticmethod(lambda _pattern: None))

"""Providers: the class a setting names behind a port, imported only when it is chosen."""

import os
from importlib import import_module
from typing import Any, Final

from django.conf import settings

from vaultsite.kernel.errors import ProviderMissing

_loaded: Final[dict[str, Any]] = {}


def load_provider(kind: str) -> Any:
    """The provider of ``settings.VAULT[kind]`` = ``{"BACKEND": "dotted.Class", "OPTIONS": {..}}``.

    OPTIONS are the keyword arguments of the class. One instance serves the process; a forked child makes its own.
    Raises ProviderMissing when the setting is absent, names nothing, or needs a package that is not installed: the
    file of a provider has the name of the extra that installs it.
    """
    if kind not in _loaded:
        _loaded.setdefault(kind, _make(kind))
    return _loaded[kind]


def reset_providers() -> None:
    """Forget every instance, so that the next use reads the settings again."""
    _loaded.clear()


def _make(kind: str) -> Any:
    chosen: Any = settings.VAULT.get(kind)
    if not chosen:
        raise ProviderMissing(f"VAULT[{kind!r}] is not set")
    return _load_class(kind, chosen["BACKEND"])(**chosen.get("OPTIONS", {}))


def _load_class(kind: str, path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        if missing.name and not f"{module}.".startswith(f"{missing.name}."):
            extra = module.rpartition(".")[2]
            detail = f"{kind} needs the package {missing.name!r}: install llm-data-vault[{extra}]"
            raise ProviderMissing(detail) from missing
        raise ProviderMissing(f"VAULT[{kind!r}] names no module: {path!r}") from missing
    except (AttributeError, ValueError) as missing:
        raise ProviderMissing(f"VAULT[{kind!r}] names no class: {path!r}") from missing


os.register_at_fork(after_in_child=reset_providers)

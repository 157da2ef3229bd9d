"""The lists of surrogates, by locale."""

from functools import cache
from importlib import resources
from typing import Final

import orjson

#: Locales with lists of their own.
LOCALES: Final = ("en_US", "en_GB", "de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE")
DEFAULT_LOCALE: Final = "en_US"


@cache
def surrogates(locale: str) -> dict[str, tuple[str, ...]]:
    """``first_names``, ``last_names``, ``cities``, ``streets``, ``company_suffixes`` and ``countries`` of a locale."""
    content = resources.files("anonymization.operators").joinpath("surrogates", f"{locale}.json").read_bytes()
    return {name: tuple(words) for name, words in orjson.loads(content).items()}


@cache
def country_names() -> frozenset[str]:
    """Names of countries in every locale, in lower case."""
    return frozenset(name.casefold() for locale in LOCALES for name in surrogates(locale)["countries"])

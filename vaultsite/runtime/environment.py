"""The environment that tells the application where the embedded servers of a VAULT_HOME are."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vaultsite.runtime.home import Home, write_private
from vaultsite.runtime.postgres import database_url
from vaultsite.runtime.redis import redis_url
from vaultsite.runtime.roles import APP, OWNER, SYSTEM

PROJECT: Final = Path(__file__).resolve().parents[2]
#: Which variable holds the URL of which role.
DATABASE_VARIABLES: Final = {
    "VAULT_DATABASE_URL": APP,
    "VAULT_SYSTEM_DATABASE_URL": SYSTEM,
    "VAULT_OWNER_DATABASE_URL": OWNER,
}


def home_path() -> Path:
    """VAULT_HOME as the environment names it; ``.vault`` in the project folder when it does not."""
    return Path(os.environ.get("VAULT_HOME") or PROJECT / ".vault").absolute()


def embedded_environment(home: Home) -> dict[str, str]:
    """The VAULT_* variables of what is embedded in ``home``; without database URLs when it never had a PostgreSQL.

    Databases are ``postgres://role:password@/vault?host=/socket/folder``, Redis is ``unix:///path/redis.sock``.
    """
    has_cluster = home.cluster.exists()
    urls = {variable: database_url(home, role) for variable, role in DATABASE_VARIABLES.items()} if has_cluster else {}
    return {
        "VAULT_HOME": os.fspath(home.path),
        "VAULT_REDIS_URL": redis_url(home),
        "VAULT_SECRET_KEY_FILE": os.fspath(_secret_key_file(home)),
        **urls,
    }


def load_embedded(path: str | os.PathLike[str] | None = None) -> bool:
    """Fill the VAULT_* variables that are missing in ``os.environ`` from VAULT_HOME; return whether there was one.

    So ``manage.py`` works beside a running ``make run`` without any setting. A given VAULT_DATABASE_URL keeps every
    embedded database URL out: it is the choice of a real server, or a serving process that may know no other.
    """
    home = Home(Path(path).absolute() if path else home_path())
    if not home.secrets.exists():
        return False
    os.environ.update(completed(os.environ, embedded_environment(home)))
    return True


def completed(environ: Mapping[str, str], embedded: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with what it lacks from ``embedded``; one given database URL keeps all embedded ones out."""
    if is_given("VAULT_DATABASE_URL", environ):
        embedded = without_databases(embedded)
    return {
        **{name: value for name, value in embedded.items() if not is_given(name.removesuffix("_FILE"), environ)},
        **environ,
    }


def is_given(variable: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment has ``variable``, itself or as a file (``VAULT_DATABASE_URL_FILE``)."""
    return variable in environ or f"{variable}_FILE" in environ


def without_databases(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` less every database URL: what a process gets before it is given the URLs it may have."""
    hidden = {name for variable in DATABASE_VARIABLES for name in (variable, f"{variable}_FILE")}
    return {name: value for name, value in environ.items() if name not in hidden}


def _secret_key_file(home: Home) -> Path:
    path = home.secrets / "secret_key"
    if not path.exists():
        write_private(path, f"{secrets.token_urlsafe(48)}\n")
    return path

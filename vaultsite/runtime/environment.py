"""The environment that tells the application where the embedded servers of a VAULT_HOME are."""

import os
import secrets
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
    """The VAULT_* variables of the embedded servers of ``home``, which must have been started once.

    Databases are ``postgres://role:password@/vault?host=/socket/folder``, Redis is ``unix:///path/redis.sock``.
    """
    urls = {variable: database_url(home, role) for variable, role in DATABASE_VARIABLES.items()}
    return {
        "VAULT_HOME": os.fspath(home.path),
        "VAULT_REDIS_URL": redis_url(home),
        "VAULT_SECRET_KEY_FILE": os.fspath(_secret_key_file(home)),
        **urls,
    }


def load_embedded(path: str | os.PathLike[str] | None = None) -> bool:
    """Fill the VAULT_* variables that are missing in ``os.environ`` from VAULT_HOME; return whether there was one.

    ``manage.py`` calls it, so that commands work beside a running ``make run`` without any setting. A URL that is
    given stays, and with it the choice of a real server. The serving processes never call it: the supervisor gives
    each of them only the URLs it may have.
    """
    home = Home(Path(path).absolute() if path else home_path())
    if not (home.secrets / "postgresql.json").exists():
        return False
    found = embedded_environment(home)
    if "VAULT_DATABASE_URL" in os.environ:
        found = {name: value for name, value in found.items() if name not in DATABASE_VARIABLES}
    if "VAULT_SECRET_KEY" in os.environ:
        del found["VAULT_SECRET_KEY_FILE"]
    for name, value in found.items():
        os.environ.setdefault(name, value)
    return True


def _secret_key_file(home: Home) -> Path:
    path = home.secrets / "secret_key"
    if not path.exists():
        write_private(path, f"{secrets.token_urlsafe(48)}\n")
    return path

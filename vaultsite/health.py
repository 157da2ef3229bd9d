"""Liveness, readiness, and the answers for requests that reach no view."""

import logging
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connections
from django.http import HttpRequest, JsonResponse

from vaultsite.kernel.api.problem import problem_response
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import InternalFault, InvalidInput, NotReady, UnknownPath, VaultError
from vaultsite.kernel.providers import load_provider
from vaultsite.kernel.regions import DEFAULT_STORE, served_stores
from vaultsite.kernel.tenancy.scope import unscoped
from vaultsite.runtime.restoring import is_restoring

#: CVE-2025-8713 (statistics leak through partitions) is fixed from here on.
OLDEST_POSTGRESQL: Final = 150014
_ROLE: Final = (
    "SELECT r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid), "
    "current_setting('server_version_num')::int FROM pg_roles r WHERE r.rolname = current_user"
)

#: As vaultsite.backup.database leaves it while a restore is under way.
_CLOSED: Final = (
    "SELECT shobj_description(oid, 'pg_database') IS NOT DISTINCT FROM 'vault: restoring' "
    "FROM pg_database WHERE datname = current_database()"
)


_log = logging.getLogger("vault.start")


def refuse_mighty_role() -> bool:
    """End the start of a process whose database role could pass by row-level security: raises ImproperlyConfigured.

    False when the database cannot be reached, which is no reason to end: readiness reports that.
    """
    try:
        is_mighty, _ = _serving_role()
    except OperationalError:
        _log.warning("the database cannot be reached; its role is checked by /health/ready")
        return False
    if is_mighty:
        message = "the database role is superuser, owner of tables or BYPASSRLS: serve as vault_app"
        _log.critical(message)  # a server may write the exception without its text
        raise ImproperlyConfigured(message)
    return True


def live(_: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "live"})


def health(request: HttpRequest) -> JsonResponse:
    """The same as readiness, for load balancers that know one path."""
    return ready(request)


def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database serves a harmless role, the KMS answers, the object store is there and no restore is
    under way; else 503. The store of a region that is away stops that region alone: it is named.
    """
    checks = {"database": _check_database, "kms": check_kms, "storage": _check_serving, "restore": _check_restore}
    failed = [name for name, check in checks.items() if not _passes(check)]
    if failed:
        return problem_response(request, NotReady(failed=failed))
    return JsonResponse({"status": "ready", "checks": dict.fromkeys(checks, "ok"), "stores_away": stores_away()})


def _passes(check: Any) -> bool:
    try:
        return bool(check())
    except (DatabaseError, VaultError, OSError):
        return False


def _check_database() -> bool:
    """The serving role must not be able to pass by row-level security."""
    is_mighty, version = _serving_role()
    return not is_mighty and version >= OLDEST_POSTGRESQL


def _check_restore() -> bool:
    """Whether what was erased after a backup is erased again in the database that was restored from it."""
    if is_restoring(settings.VAULT_HOME):
        return False
    with unscoped("readiness"), connections["default"].cursor() as cursor:
        cursor.execute(_CLOSED)
        (is_closed,) = cursor.fetchone()
    return not is_closed


def _serving_role() -> tuple[bool, int]:
    """Whether the role we serve as is mighty, and the version number of its server."""
    with unscoped("readiness"), connections["default"].cursor() as cursor:
        cursor.execute(_ROLE)
        is_mighty, version = cursor.fetchone()
    return is_mighty, version


def check_kms() -> bool:
    """Whether the key management system answers. Raises VaultError or OSError when it does not."""
    return load_provider("KMS").describe() is not None


def check_storage() -> bool:
    """Whether the stores of the regions served here can be listed. Raises VaultError or OSError when one cannot."""
    return all(map(_answers, served_stores()))


def stores_away() -> list[str]:
    """The aliases of the stores of regions served here that cannot be listed now."""
    return [alias for alias in served_stores() if not _passes(partial(_answers, alias))]


def _check_serving() -> bool:
    """Whether there is a store to work with: the default one where it is served, else any."""
    away, served = set(stores_away()), set(served_stores())
    return DEFAULT_STORE not in away and away != served


def _answers(alias: str) -> bool:
    """Raises VaultError or OSError when the store does not."""
    next(iter(BlobStore.at(alias).names("pack/00/")), None)
    return True


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:  # noqa: ARG001 - Django's
    return problem_response(request, UnknownPath())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:  # noqa: ARG001 - Django's
    return problem_response(request, InvalidInput())


def server_error(request: HttpRequest) -> JsonResponse:
    return problem_response(request, InternalFault())

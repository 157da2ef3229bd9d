"""One turn of a worker at a long job: take it, work while its lease is renewed, and say what becomes of an error."""

import logging
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError

from vaultsite.kernel.errors import JobExhausted, JobFenced, KeyDestroyed, RegionNotServed, StorageFull, VaultError
from vaultsite.kernel.jobs import MAX_ATTEMPTS, Claim, Heartbeat, J, claim
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

logger = logging.getLogger("vault.jobs")

_SERVER_FAULT = 500


def is_final(error: VaultError) -> bool:
    """Whether no further try would help: what was asked for is refused, or there is no room to store it."""
    return error.status < _SERVER_FAULT or isinstance(error, StorageFull)


def is_hopeless(error: VaultError) -> bool:
    """For upkeep, where a refusal may pass: only a key that is gone ends it before its tries do."""
    return isinstance(error, KeyDestroyed)


def fail_silently(_job: J, held: Claim, error: VaultError) -> None:
    """The row alone says how it ended."""
    held.fail(error)


def take_turn(
    model: type[J],
    tenant_id: UUID,
    pk: UUID,
    work: Callable[[J, Claim], object],
    *,
    fail: Callable[[J, Claim, VaultError], object] = fail_silently,
    ends: Callable[[VaultError], bool] = is_final,
) -> None:
    """Work on a job until it has ended, waits for its next turn, or is another worker's. No scope may be open.

    ``work`` finishes the job or gives the turn back. ``fail`` ends it with its event: at once with an error that
    ``ends`` it, with JobExhausted when it was tried more than MAX_ATTEMPTS times. Any other VaultError, DatabaseError
    or OSError is raised once the job is let go; the reaper wakes the next worker. What lies in a region that this
    worker does not serve waits for another one, and was not tried.
    """
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        claimed = claim(model, pk)
        if claimed is None:
            return
        job, held = claimed
        if held.attempt > MAX_ATTEMPTS:
            logger.error("%s %s was given up", model.__name__, pk)
            fail(job, held, JobExhausted())
            return
    try:
        with Heartbeat(held):
            _attempt(job, held, work, fail, ends)
    except JobFenced:
        logger.warning("%s %s was taken over or withdrawn", model.__name__, pk)
    except RegionNotServed:
        logger.warning("%s %s is left to a worker of its zone", model.__name__, pk)
        held.wait()
    except (VaultError, DatabaseError, OSError):
        with suppress(VaultError, DatabaseError, OSError):
            held.release()
        raise


def _attempt(
    job: J,
    held: Claim,
    work: Callable[[J, Claim], object],
    fail: Callable[[J, Claim, VaultError], object],
    ends: Callable[[VaultError], bool],
) -> None:
    try:
        work(job, held)
    except (JobFenced, RegionNotServed):
        raise
    except VaultError as error:
        if not ends(error):
            raise
        fail(job, held, error)

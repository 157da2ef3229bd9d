"""The witnesses that the configuration names."""

from collections.abc import Iterator

from django.conf import settings

from audit.log.witnesses.base import Witness
from audit.log.witnesses.stored import BlobStoreWitness, FolderWitness
from audit.log.witnesses.webhook import WebhookWitness


def enlisted_witnesses() -> Iterator[Witness]:
    """Every witness of this vault; the blob store always is one."""
    yield BlobStoreWitness(settings.VAULT["AUDIT_LOCK_DAYS"])
    if settings.VAULT["AUDIT_WITNESS_FOLDER"]:
        yield FolderWitness(settings.VAULT["AUDIT_WITNESS_FOLDER"])
    if settings.VAULT["AUDIT_WITNESS_URL"]:
        yield WebhookWitness(settings.VAULT["AUDIT_WITNESS_URL"])

"""The background work of compliance."""

from celery import shared_task
from django.conf import settings

from compliance.backup.journal import ship_journal
from compliance.backup.keys import read_key
from compliance.backup.repository import open_repository


@shared_task(name="compliance.ship_journal", ignore_result=True, expires=60)
def write_journal() -> int:
    """Write down beside the backups what was erased; nothing where no repository is configured."""
    if settings.BACKUP_FOLDER is None or settings.BACKUP_KEY_FILE is None:
        return 0
    return ship_journal(open_repository(settings.BACKUP_FOLDER, read_key(settings.BACKUP_KEY_FILE)))

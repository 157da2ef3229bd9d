"""Whether objects may be removed now: not while a backup copies those that its snapshot of the database names.

Who removes shares a lock of the database for as long as it removes; a backup takes it alone. The lock ends with the
session that holds it, so a killed backup keeps nothing from being removed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connections

from vaultsite.kernel.tenancy.scope import unscoped

#: Of pg_advisory_lock; a number of our own choice.
REMOVAL_LOCK: Final = 5_238_119_004_077_133_101
_SHARE: Final = "SELECT pg_try_advisory_xact_lock_shared(%s)"


@contextmanager
def removing_objects() -> Iterator[bool]:
    """Yield whether objects may be removed inside the block; when not, a later run finds them again."""
    with unscoped("removes objects that no row needs"):
        with connections["default"].cursor() as cursor:
            cursor.execute(_SHARE, [REMOVAL_LOCK])
            is_free = bool(cursor.fetchone()[0])
        yield is_free

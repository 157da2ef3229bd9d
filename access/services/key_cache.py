"""Plaintext keys kept for a while, in this process only."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from vaultsite.kernel.crypto.keys import SecretKey

MAX_KEYS: Final = 512
MAX_AGE_SECONDS: Final = 300.0
#: Uses after which a key is asked for anew.
MAX_USES: Final = 1_000_000


@dataclass
class _Entry:
    key: SecretKey
    expires: float
    uses_left: int


class KeyCache:
    """Bounded by count (the least recently used leaves first), age and uses; the tenant is part of every lookup."""

    def __init__(
        self,
        *,
        max_keys: int = MAX_KEYS,
        max_age_seconds: float = MAX_AGE_SECONDS,
        max_uses: int = MAX_USES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_keys = max_keys
        self._max_age = max_age_seconds
        self._max_uses = max_uses
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[UUID, UUID], _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, tenant_id: UUID, key_id: UUID) -> SecretKey | None:
        """The key, unless it is not here, too old, or used up."""
        place = (tenant_id, key_id)
        with self._lock:
            entry = self._entries.get(place)
            if entry is None:
                return None
            if entry.uses_left <= 0 or self._clock() >= entry.expires:
                del self._entries[place]
                return None
            entry.uses_left -= 1
            self._entries.move_to_end(place)
            return entry.key

    def put(self, tenant_id: UUID, key_id: UUID, key: SecretKey) -> None:
        with self._lock:
            self._entries[(tenant_id, key_id)] = _Entry(key, self._clock() + self._max_age, self._max_uses)
            self._entries.move_to_end((tenant_id, key_id))
            while len(self._entries) > self._max_keys:
                self._entries.popitem(last=False)

    def drop_tenant(self, tenant_id: UUID) -> None:
        with self._lock:
            for place in [place for place in self._entries if place[0] == tenant_id]:
                del self._entries[place]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def restart(self) -> None:
        """For a forked child: nothing of the parent's, and a lock that nobody holds."""
        self._lock = threading.Lock()
        self._entries = OrderedDict()

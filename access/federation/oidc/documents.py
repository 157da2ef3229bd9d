"""What providers publish about themselves: fetched seldom, kept for a while, never both stale and believed."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Any, Final

from access.federation.errors import ProviderUnavailable
from access.federation.outgoing import call

#: Seconds for which a document is believed.
KEPT_SECONDS: Final = 3600.0
#: Seconds between two fetches of one document, whoever asks for it: a storm of unknown keys makes no storm of calls.
PAUSE_SECONDS: Final = 10.0
_MOST: Final = 1000


@dataclass
class _Kept:
    document: dict[str, Any] | None = None
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")


class Documents:
    """JSON documents by URL, for one process. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def get(self, url: str, *, newer: bool = False) -> dict[str, Any]:
        """The document, at most KEPT_SECONDS old; with ``newer`` fetched anew unless that was tried just now.

        Open no scope around it. Raises ProviderUnavailable, OutgoingAddressRefused; a failure is not tried again for
        PAUSE_SECONDS either.
        """
        with self._lock:
            kept, now = self._entry(url), time.monotonic()
            is_fresh = kept.document is not None and now - kept.fetched_at <= KEPT_SECONDS
            is_pausing = now - kept.tried_at < PAUSE_SECONDS
            if kept.document is not None and is_fresh and (is_pausing or not newer):
                return kept.document
            if is_pausing:
                raise ProviderUnavailable("It did not answer a moment ago", reason="silent")
            kept.tried_at = now
        document = fetch(url)
        with self._lock:
            kept.document, kept.fetched_at = document, time.monotonic()
        return document

    def forget(self, prefix: str) -> None:
        """Know nothing any more of documents below that address, so that the next question is asked anew."""
        with self._lock:
            for url in [url for url in self._kept if url.startswith(prefix)]:
                del self._kept[url]

    def _entry(self, url: str) -> _Kept:
        entry = self._kept.setdefault(url, _Kept())
        self._kept.move_to_end(url)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return entry


def fetch(url: str) -> dict[str, Any]:
    """The document as it is now. Raises ProviderUnavailable, OutgoingAddressRefused."""
    answer = call("GET", url)
    if answer.status != HTTPStatus.OK:
        raise ProviderUnavailable(f"It answered with status {answer.status}", reason="answer")
    return answer.json()


#: The documents of this process.
documents: Final = Documents()

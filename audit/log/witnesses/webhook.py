"""A witness that is somebody's URL: every checkpoint is posted to it, and cannot be read back."""

from http import HTTPStatus
from typing import Final

from audit.log.errors import WitnessConflict, WitnessUnavailable
from audit.log.witnesses.base import Holding, Witness
from vaultsite.kernel.outgoing import AddressRefused, CallFailed, Limits, call

_LIMITS: Final = Limits(seconds=10.0, biggest=4096)


class WebhookWitness(Witness):
    """Posts notes as text/plain; any 2xx takes it, 409 says that another one of this size is known there.

    The receiver should verify the signature and the log's growth: only then does it witness anything.
    """

    name = "webhook"
    is_readable = False

    def __init__(self, url: str) -> None:
        self._url = url

    def hold(self, log: str, size: int, note: str) -> Holding:
        del log  # the note's first line
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "llm-data-vault"}
        try:
            answer = call("POST", self._url, headers=headers, body=note.encode(), limits=_LIMITS)
        except AddressRefused:
            raise WitnessUnavailable(witness=self.name, reason="its address may not be called") from None
        except CallFailed as failed:
            raise WitnessUnavailable(witness=self.name, reason=failed.reason) from None
        if answer.status == HTTPStatus.CONFLICT:
            raise WitnessConflict(witness=self.name, size=size)
        if not HTTPStatus(200) <= answer.status < HTTPStatus(300):
            raise WitnessUnavailable(witness=self.name, reason=f"it answered {answer.status}")
        return Holding(self._url)

    def newest(self, log: str) -> str | None:
        del log
        return None

    def read(self, log: str, size: int) -> str | None:
        del log, size
        return None

    def locks(self) -> bool:
        return False

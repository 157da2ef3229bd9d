"""How gunicorn writes its log: like everything else, one line an event, and no text of an exception."""

from typing import Any

from gunicorn.glogging import Logger

from vaultsite.kernel.logs import EscapingFormatter


class EscapingLogger(Logger):  # type: ignore[misc]
    """Gunicorn's logger (``--logger-class``) with our formatter in place of its own."""

    def setup(self, cfg: Any) -> None:
        """Called at the start and at each reload of gunicorn's configuration ``cfg``."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(EscapingFormatter())

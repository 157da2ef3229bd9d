"""A database connection whose process dies just before a statement, once."""

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created

#: Where a worker is told of it: JSON with the members of DeadlyStatement.
VARIABLE = "JOURNEY_DIES_BEFORE"


@dataclass
class DeadlyStatement:
    """Kills its own process right before the nth statement that holds all ``words``, parameters included.

    What that statement's transaction has done so far is lost, what was committed before it stays. The file ``once`` is
    made first, so that the worker's successor gets past that point.
    """

    words: tuple[str, ...]
    once: str
    count: int = 1
    _seen: int = field(default=0, init=False)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statement = f"{sql} {params!r}"
        if all(word in statement for word in self.words):
            self._seen += 1
            if self._seen == self.count and not Path(self.once).exists():
                Path(self.once).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    def connect(self, *, connection: Any, **_: object) -> None:
        """Listen to a connection for as long as its process lives."""
        if self not in connection.execute_wrappers:
            connection.execute_wrappers.append(self)


def watch_statements(environ: Mapping[str, str]) -> None:
    """Do as the environment says, for every connection of this process and its children."""
    told = environ.get(VARIABLE)
    if told:
        given = json.loads(told)
        deadly = DeadlyStatement(**given | {"words": tuple(given["words"])})
        connection_created.connect(deadly.connect, weak=False)


def dies_before(once: Path, *words: str, count: int = 1) -> dict[str, str]:
    """The environment of a worker that dies before the nth statement that holds the words."""
    return {VARIABLE: json.dumps({"words": words, "count": count, "once": str(once)})}

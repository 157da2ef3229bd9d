"""The processes of the application: how each is run, what it is told, and how to see that it is ready."""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Final

from celery import Celery

from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.environment import DATABASE_VARIABLES, PROJECT, without_databases
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home
from vaultsite.runtime.service import Service

FOLDER: Final = os.fspath(PROJECT)
DEFAULT_PORT: Final = 8000
BROKER_VARIABLE: Final = "VAULT_BROKER_URL"
#: Which of the URLs that open something (databases, the message broker) each process may know.
URLS: Final[Mapping[str, tuple[str, ...]]] = {
    "web": ("VAULT_DATABASE_URL",),
    "live": ("VAULT_DATABASE_URL",),
    "worker": ("VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"),
    "beat": ("VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"),
    "relay": ("VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL", BROKER_VARIABLE),
    "webhooks": ("VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"),
    "manage": tuple(DATABASE_VARIABLES),
}


def command_line(name: str, home: Home, environ: Mapping[str, str]) -> list[str]:
    """The argument vector of a process of the application; the same for the supervisor and for containers."""
    celery = ["celery", "--quiet", "--app", "vaultsite", name]
    arguments = {
        "web": [
            "gunicorn", "vaultsite.wsgi:application", "--bind", f"{bind(environ)}:{port(environ)}",
            "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--keep-alive", "30",
            "--graceful-timeout", "10", "--worker-tmp-dir", os.fspath(home.run), "--no-control-socket",
            "--logger-class", "vaultsite.runtime.web_logging.EscapingLogger",
        ],
        "live": [
            "uvicorn", "vaultsite.asgi:application", "--host", bind(environ), "--port", str(live_port(environ)),
            "--no-access-log", "--no-server-header", "--no-proxy-headers", "--timeout-graceful-shutdown", "5",
            "--log-config", os.fspath(PROJECT / "vaultsite" / "runtime" / "live_logging.json"),
        ],
        "worker": [
            *celery, "--concurrency", "2", "--prefetch-multiplier", "1", "-O", "fair",
            "--without-gossip", "--without-mingle",
        ],
        "beat": [*celery, "--schedule", os.fspath(home.run / "beat-schedule")],
        "relay": ["django", "relay", "--settings", "vaultsite.settings"],
        "webhooks": ["django", "webhooks", "--settings", "vaultsite.settings"],
    }  # fmt: skip
    return [sys.executable, "-m", *arguments[name]]


def application_services(home: Home, environ: Mapping[str, str]) -> list[Service]:
    """Web, live, worker, beat, relay and webhooks, in the order of their start."""
    readiness: dict[str, tuple[str, Callable[[], bool]]] = {
        "web": ("Web", lambda: _is_healthy(environ)),
        "live": ("Live feed", lambda: _listens(environ, live_port(environ))),
        "worker": ("Worker", _worker_answers(environ)),
        "beat": ("Beat", _lives_for(1.0)),
        "relay": ("Relay", _lives_for(1.0)),
        "webhooks": ("Webhooks", _lives_for(1.0)),
    }
    return [
        Service(
            name=name,
            title=title,
            command=tuple(launch_command(*command_line(name, home, environ), death_signal="TERM")),
            environment=environment_for(name, environ),
            is_ready=is_ready,
            folder=FOLDER,
        )
        for name, (title, is_ready) in readiness.items()
    ]


def environment_for(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with only those URLs of databases and the broker that the process ``name`` may know (see URLS)."""
    known = {variable for url in URLS[name] for variable in (url, f"{url}_FILE")}
    urls = {variable: environ[variable] for variable in known if variable in environ}
    ports = {"PORT": str(port(environ)), "VAULT_LIVE_PORT": str(live_port(environ))}
    open_to_all = {
        variable: value
        for variable, value in without_databases(environ).items()
        if variable.removesuffix("_FILE") != BROKER_VARIABLE
    }
    return {**open_to_all, **urls, **ports, "PYTHONUNBUFFERED": "1"}


def require_free_ports(environ: Mapping[str, str]) -> None:
    """Raise StartError when something listens already where web or live would, naming the variable to change."""
    for variable, number in (("PORT", port(environ)), ("VAULT_LIVE_PORT", live_port(environ))):
        if _listens(environ, number):
            message = f"port {number} is in use: set {variable} to another one"
            raise StartError(message)


def bind(environ: Mapping[str, str]) -> str:
    """The address that web and live listen on."""
    return environ.get("VAULT_BIND", "127.0.0.1")


def port(environ: Mapping[str, str]) -> int:
    return _port("PORT", environ.get("PORT", str(DEFAULT_PORT)))


def live_port(environ: Mapping[str, str]) -> int:
    return _port("VAULT_LIVE_PORT", environ.get("VAULT_LIVE_PORT", str(port(environ) + 1)))


def _port(variable: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        message = f"{variable} must be a port number, not {text!r}"
        raise StartError(message)
    return int(text)


def _is_healthy(environ: Mapping[str, str]) -> bool:
    connection = HTTPConnection(_reached_at(environ), port(environ), timeout=2)
    # Production takes only its own host names, and sends plain http elsewhere.
    host = environ.get("VAULT_ALLOWED_HOSTS", "localhost").split(",")[0]
    try:
        connection.request("GET", "/health/ready", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _listens(environ: Mapping[str, str], number: int) -> bool:
    try:
        with socket.create_connection((_reached_at(environ), number), timeout=1):
            return True
    except OSError:
        return False


def _reached_at(environ: Mapping[str, str]) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind(environ), bind(environ))  # noqa: S104 - compared, not bound


def _worker_answers(environ: Mapping[str, str]) -> Callable[[], bool]:
    broker = environ["VAULT_REDIS_URL"].replace("unix://", "redis+socket://", 1)
    client = Celery(broker=broker, set_as_current=False)
    return lambda: bool(client.control.ping(timeout=1, limit=1))


def _lives_for(seconds: float) -> Callable[[], bool]:
    """Ready once it has been asked about for ``seconds``: beat, relay and webhooks tell nobody that they run."""
    asked: list[float] = []

    def is_ready() -> bool:
        asked.append(time.monotonic())
        return asked[-1] - asked[0] >= seconds

    return is_ready

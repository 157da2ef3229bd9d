"""What the web and live processes refuse at their start, and how they write what goes wrong."""

import io
import json
import logging
import logging.config
import os
import subprocess
from pathlib import Path

import pytest
from django.db import connections
from gunicorn.config import Config

from vaultsite.health import refuse_mighty_role
from vaultsite.kernel.logs import EscapingFormatter
from vaultsite.runtime.home import Home
from vaultsite.runtime.services import command_line, environment_for
from vaultsite.runtime.web_logging import EscapingLogger


def argument(name: str, option: str) -> str:
    """What the process ``name`` is given as ``option``."""
    command = command_line(name, Home(Path(os.environ["VAULT_HOME"])), {})
    return command[command.index(option) + 1]


@pytest.fixture
def gunicorn_logger():
    config = Config()
    config.set("logger_class", argument("web", "--logger-class"))
    before = logging.getLogger("gunicorn.error").handlers[:]
    logger = config.logger_class(config)
    yield logger
    logger.error_log.handlers[:], logger.error_log.propagate = before, True


@pytest.fixture
def uvicorn_logger():
    logger = logging.getLogger("uvicorn")
    before = logger.handlers[:], logger.level, logger.propagate
    logging.config.dictConfig(json.loads(Path(argument("live", "--log-config")).read_text(encoding="utf-8")))
    yield logging.getLogger("uvicorn.error")
    logger.handlers[:], logger.level, logger.propagate = before


def console_of(logger: logging.Logger) -> logging.StreamHandler:
    """The handler that writes to the terminal; pytest adds some of its own."""
    (handler,) = (handler for handler in logger.handlers if type(handler) is logging.StreamHandler)
    return handler


def written_by(handler: logging.StreamHandler, log) -> str:
    """What ``handler`` writes while ``log`` is called in the wake of an exception with a value in its text."""
    handler.setStream(stream := io.StringIO())
    try:
        int("canary-value")
    except ValueError:
        log("failed: %s", "a\nb")
    return stream.getvalue()


def test_gunicorn_writes_one_line_without_the_text_of_an_exception(gunicorn_logger):
    assert isinstance(gunicorn_logger, EscapingLogger)
    line = written_by(console_of(gunicorn_logger.error_log), gunicorn_logger.exception)
    assert len(line.splitlines()) == 1
    assert "failed: a\\x0ab" in line
    assert "ValueError at " in line
    assert "canary-value" not in line


def test_gunicorn_writes_so_after_a_reload_too(gunicorn_logger):
    gunicorn_logger.setup(gunicorn_logger.cfg)
    assert isinstance(console_of(gunicorn_logger.error_log).formatter, EscapingFormatter)


def test_uvicorn_writes_one_line_without_the_text_of_an_exception(uvicorn_logger):
    line = written_by(console_of(uvicorn_logger.parent), uvicorn_logger.exception)
    assert len(line.splitlines()) == 1
    assert "ValueError at " in line
    assert "canary-value" not in line


def start_web(url: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Start the web process on the database ``url`` and wait for its end."""
    environ = {**os.environ, "PORT": "1", "VAULT_DATABASE_URL": url}
    arguments = ["--bind", f"unix:{tmp_path}/web.sock", "--workers", "1", "--worker-tmp-dir", str(tmp_path)]
    command = [*command_line("web", Home(Path(environ["VAULT_HOME"])), environ), *arguments]
    return subprocess.run(
        command, env=environment_for("web", environ), capture_output=True, text=True, timeout=120, check=False
    )


def test_the_web_process_refuses_to_serve_as_a_mighty_role(vault_database, tmp_path):
    ended = start_web(os.environ["VAULT_OWNER_DATABASE_URL"], tmp_path)
    assert ended.returncode == 3  # gunicorn: a worker did not boot
    assert "serve as vault_app" in ended.stderr


def test_a_database_that_is_away_does_not_stop_the_start(monkeypatch):
    away = {**connections.settings["default"], "HOST": "/nowhere", "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "away", away)
    monkeypatch.setattr("vaultsite.health.connections", {"default": connections["away"]})
    assert refuse_mighty_role() is False

"""The whole vault: its servers, its tables, its processes, and the demo data of a first start."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.console import Console
from vaultsite.runtime.environment import completed, embedded_environment, is_given
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home, open_home
from vaultsite.runtime.redis import redis_service
from vaultsite.runtime.restoring import is_restoring
from vaultsite.runtime.servers import mark_ready, only_instance, start_postgres
from vaultsite.runtime.services import FOLDER, application_services, environment_for, port, require_free_ports
from vaultsite.runtime.supervisor import Supervisor

#: What is done once at every start, as the owner of the database, before anything serves.
PREPARATIONS = (
    ("Tables", ("migrate", "--database", "owner", "--no-input")),
    ("Partitions", ("maintain", "--at-start")),
    ("Static files", ("collectstatic", "--no-input")),
)


def run_vault(path: str | os.PathLike[str], console: Console) -> None:
    """Start everything under VAULT_HOME ``path``, keep it running until a signal asks for the end, end everything.

    A server whose URL the environment gives (VAULT_DATABASE_URL, VAULT_REDIS_URL) is used and not started. Raises
    StartError when something does not start; what was started is ended first.
    """
    home = open_home(path)
    if is_restoring(home.path):
        message = f"a restore into {home.path} has not ended: start it again, so that what was erased stays erased"
        raise StartError(message)
    with only_instance(home):
        supervisor = Supervisor(home, console)
        supervisor.stop_on_signals()
        try:
            environment = _start(home, supervisor, console)
            if not supervisor.is_stopping:
                mark_ready(home)
                _welcome(home, environment, console)
            console.is_quiet = False
            while not supervisor.is_stopping:
                supervisor.tend(1.0)
            console.is_quiet = True
            console.say("\nstopping ...")
        finally:
            supervisor.stop()
        console.say("stopped")


def _start(home: Home, supervisor: Supervisor, console: Console) -> dict[str, str]:
    """Start the servers, prepare the database, start the application; return the environment of its commands."""
    require_free_ports(os.environ)
    own_postgres, own_redis = not is_given("VAULT_DATABASE_URL"), not is_given("VAULT_REDIS_URL")
    is_production = os.environ.get("VAULT_ENV") == "production"
    console.expect_steps(own_postgres + own_redis + len(PREPARATIONS) + 6 + (not is_production))
    if own_postgres:
        with _step(supervisor, console, "PostgreSQL"):
            start_postgres(home, supervisor)
    elif not is_given("VAULT_OWNER_DATABASE_URL"):
        raise StartError(
            "VAULT_DATABASE_URL is set, so VAULT_OWNER_DATABASE_URL must be set too: the tables are made with it"
        )
    if own_redis:
        with _step(supervisor, console, "Redis"):
            supervisor.start(redis_service(home))
    if supervisor.is_stopping:
        return {}
    environment = completed(os.environ, embedded_environment(home))
    for title, arguments in PREPARATIONS:
        with _step(supervisor, console, title):
            _manage(supervisor, arguments, environment)
    for service in application_services(home, environment):
        with _step(supervisor, console, service.title):
            supervisor.start(service)
    if not is_production:
        with _step(supervisor, console, "Demo tenants"):
            _manage(supervisor, ("seed_demo",), environment)
    return environment


@contextmanager
def _step(supervisor: Supervisor, console: Console, title: str) -> Iterator[None]:
    with console.step(title, is_cut_short=lambda: supervisor.is_stopping):
        yield


def _manage(supervisor: Supervisor, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    if not supervisor.is_stopping:
        command = launch_command(sys.executable, "manage.py", *arguments, death_signal="TERM")
        supervisor.finish(arguments[0], command, environment_for("manage", environment), folder=FOLDER)


def _welcome(home: Home, environment: dict[str, str], console: Console) -> None:
    console.say(f"\nLLM Data Vault: http://localhost:{port(environment)}/")
    if home.credentials.exists():
        console.say(f"\nLogins ({home.credentials}):\n")
        console.say(home.credentials.read_text(encoding="utf-8").rstrip())
    console.say("\nCtrl-C ends it.\n")

"""``python -m vaultsite.runtime``: run the whole vault, one of its processes, or a command beside its servers."""

import argparse
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

from vaultsite.runtime.console import Console
from vaultsite.runtime.environment import completed, home_path, is_given
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import open_home
from vaultsite.runtime.servers import borrowed_servers, serve_borrowers
from vaultsite.runtime.services import FOLDER, URLS, command_line, environment_for
from vaultsite.runtime.vault import run_vault


def main() -> int:
    chosen = _parser().parse_args()
    try:
        match chosen.command:
            case "exec":
                return run_beside_servers([word for word in chosen.argv if word != "--"])
            case "servers":
                serve_borrowers(chosen.home, throwaway=chosen.throwaway)
            case "process":
                become_process(chosen.name)
            case _:
                run_vault(home_path(), Console())
    except StartError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    return 0


def run_beside_servers(command: list[str]) -> int:
    """Run ``command`` with PostgreSQL and Redis up and their URLs in its environment; return its exit status."""
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        if not (is_given("VAULT_DATABASE_URL") and is_given("VAULT_REDIS_URL")):
            environment = stack.enter_context(borrowed_servers(home_path()))
        process = subprocess.Popen(command, env=completed(os.environ, environment))  # noqa: S603
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # the terminal sends it to the command too; the servers end after it
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        status = process.wait()
    return status if status >= 0 else 128 - status


def become_process(name: str) -> None:
    """Turn into one process of the application, on real servers: for containers and service units."""
    home = open_home(home_path())
    environment = environment_for(name, os.environ)
    os.chdir(FOLDER)
    command = command_line(name, home, environment)
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vaultsite.runtime", description="Run the whole vault.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", help="everything, until Ctrl-C (the default)")
    execute = commands.add_parser("exec", help="run a command beside PostgreSQL and Redis, with their environment")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- command ..")
    servers = commands.add_parser("servers", help="PostgreSQL and Redis alone, for as long as somebody borrows them")
    servers.add_argument("--home", required=True)
    servers.add_argument("--throwaway", action="store_true", help="fast rather than safe: the data may be lost")
    process = commands.add_parser("process", help="one process of the application, on real servers")
    process.add_argument("name", choices=sorted(URLS.keys() - {"manage"}))
    return parser


if __name__ == "__main__":
    sys.exit(main())

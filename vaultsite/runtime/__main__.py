"""``python -m vaultsite.runtime``: run the whole vault, or one command beside its servers."""

import argparse
import os
import signal
import subprocess
import sys

from vaultsite.runtime.environment import home_path
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.servers import borrowed_servers, serve_borrowers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m vaultsite.runtime")
    commands = parser.add_subparsers(dest="command")
    execute = commands.add_parser("exec", help="run a command beside PostgreSQL and Redis, with their environment")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- command ..")
    servers = commands.add_parser("servers", help="PostgreSQL and Redis alone, for as long as somebody borrows them")
    servers.add_argument("--home", required=True)
    servers.add_argument("--throwaway", action="store_true", help="fast rather than safe: the data may be lost")
    chosen = parser.parse_args()
    try:
        if chosen.command == "servers":
            serve_borrowers(chosen.home, throwaway=chosen.throwaway)
            return 0
        if chosen.command == "exec":
            return run_beside_servers([word for word in chosen.argv if word != "--"][:])
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    parser.print_help()
    return 2


def run_beside_servers(command: list[str]) -> int:
    """Run ``command`` with PostgreSQL and Redis up and their URLs in its environment; return its exit status."""
    with borrowed_servers(home_path()) as environment:
        process = subprocess.Popen(command, env={**environment, **os.environ})  # noqa: S603
        for number in (signal.SIGINT, signal.SIGTERM):  # a Ctrl-C is for the command; the servers end after it
            signal.signal(number, lambda received, _frame: received == signal.SIGTERM and process.terminate())
        status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())

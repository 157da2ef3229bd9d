"""The embedded Redis: the server program of the wheel on a private unix socket, with an append-only file."""

import os

import redis

from vaultsite.runtime.binaries import launch_command, redis_server
from vaultsite.runtime.home import Home
from vaultsite.runtime.service import Service


def redis_service(home: Home) -> Service:
    """The embedded server for ``home``. Nothing in it is the only copy of anything, so a second may be lost."""
    settings = {
        "port": "0",
        "unixsocket": os.fspath(_socket(home)),
        "unixsocketperm": "700",
        "dir": os.fspath(home.redis),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",  # an evicted message would be a lost task
        "daemonize": "no",
    }
    options = [argument for name, value in settings.items() for argument in (f"--{name}", value)]
    return Service(
        name="redis",
        title="Redis",
        command=tuple(launch_command(redis_server(), *options, death_signal="TERM")),
        environment={"TZ": "UTC", "LC_ALL": "C.UTF-8"},
        is_ready=lambda: _answers(home),
    )


def redis_url(home: Home) -> str:
    """``unix:///path/redis.sock``, as redis-py takes it; Celery wants the same path as ``redis+socket://``."""
    return f"unix://{_socket(home)}"


def _socket(home: Home) -> os.PathLike[str]:
    return home.socket_dir() / "redis.sock"


def _answers(home: Home) -> bool:
    try:
        with redis.Redis.from_url(redis_url(home), socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False

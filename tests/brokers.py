"""Real message brokers for a test run: RabbitMQ and Redis of the system, in folders and on ports of their own."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import amqp
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vaultsite.runtime.binaries import launch_command, redis_server
from vaultsite.runtime.errors import StartError

START_SECONDS: Final = 90.0
#: Debian keeps it out of the path of ordinary users.
_SYSTEM_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/rabbitmq/bin"
USER: Final = "guest"
PASSWORD: Final = "guest"


@dataclass(frozen=True)
class Program:
    """What is run, in which environment, and how to see that it is ready."""

    command: list[str]
    environ: dict[str, str]
    answers: Callable[[], bool]


class Server:
    """A broker in the foreground, which a test may end and start again: it keeps its folder and its ports.

    It also listens at ``tls_port``, with a certificate for ``localhost`` that the one in the file ``ca`` vouches for.
    """

    def __init__(self, folder: Path, url: str, tls_port: int, program: "Program") -> None:
        self.url, self.tls_port, self.ca = url, tls_port, folder / "ca.pem"
        self._folder, self._program = folder, program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        with (self._folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                launch_command(*self._program.command, death_signal="KILL"),
                env=self._program.environ, cwd=self._folder, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._program.answers():
            said_so_far = (self._folder / "said").read_text(errors="replace")
            assert self._process.poll() is None, said_so_far
            assert time.monotonic() < deadline, said_so_far
            time.sleep(0.1)

    def kill(self) -> None:
        """As a power cut would: every process of it at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_certificates(folder: Path) -> None:
    """``ca.pem``, and ``cert.pem`` with ``key.pem`` for localhost, good for a day."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)

    def certificate(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))

    own = certificate(issuer, authority.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    served = certificate(subject, key.public_key()).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    for name, made in (("ca.pem", own), ("cert.pem", served)):
        signed = made.sign(authority, hashes.SHA256())
        (folder / name).write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(secret)


@contextmanager
def running_rabbitmq() -> Iterator[Server]:
    """RabbitMQ without plugins, its own Erlang node and port mapper; skips the test where it is not installed."""
    # Debian's wrapper in /usr/sbin turns into another user; the program itself runs as anybody.
    program = shutil.which("rabbitmq-server", path=f"/usr/lib/rabbitmq/bin:{_SYSTEM_PATH}")
    port_mapper = shutil.which("epmd", path=_SYSTEM_PATH)
    if program is None or port_mapper is None:
        pytest.skip("rabbitmq-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
    port, tls_port = free_port(), free_port()
    write_certificates(folder)
    cookie = folder / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = 127.0.0.1:{port}\nlisteners.ssl.default = 127.0.0.1:{tls_port}\n"
        f"ssl_options.cacertfile = {folder}/ca.pem\nssl_options.certfile = {folder}/cert.pem\n"
        f"ssl_options.keyfile = {folder}/key.pem\nssl_options.verify = verify_none\n"
        "log.console = true\nlog.console.level = warning\nlog.file = false\n"
        "disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.absolute = 400MB\n"
    )
    (folder / "enabled_plugins").write_text("[].")
    environ = {
        "PATH": _SYSTEM_PATH,
        "HOME": os.fspath(folder),
        "LANG": "C.UTF-8",
        "RABBITMQ_HOME": "/usr/lib/rabbitmq",
        "RABBITMQ_NODENAME": f"vault{port}@localhost",
        "RABBITMQ_MNESIA_BASE": os.fspath(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": os.fspath(folder / "log"),
        "RABBITMQ_CONFIG_FILE": os.fspath(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": os.fspath(folder / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": os.fspath(folder / "no-env.conf"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        "ERL_EPMD_PORT": str(free_port()),
        "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server, and its signals are ours
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    url = f"amqp://{USER}:{PASSWORD}@127.0.0.1:{port}/"
    server = Server(folder, url, tls_port, Program([program], environ, lambda: _amqp_answers(port)))
    # Started here, Erlang does not start one of its own as a daemon that nobody ends.
    mapper = subprocess.Popen(launch_command(port_mapper, death_signal="KILL"), env=environ)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        mapper.kill()
        mapper.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _amqp_answers(port: int) -> bool:
    connection = amqp.Connection(f"127.0.0.1:{port}", USER, PASSWORD, login_method="PLAIN", connect_timeout=2)
    try:
        connection.connect()
    except (OSError, amqp.AMQPError):
        return False
    finally:
        connection.collect()
    return True


@contextmanager
def running_redis() -> Iterator[Server]:
    """The system's redis-server, else the embedded one, with an append-only file; skips the test where neither is."""
    program = shutil.which("redis-server", path=_SYSTEM_PATH)
    is_embedded = program is None
    if program is None:
        try:
            program = redis_server()
        except StartError:
            pytest.skip("redis-server is not installed, nor is the embedded one")
    folder, port, tls_port = Path(tempfile.mkdtemp(prefix="redis-")), free_port(), free_port()
    write_certificates(folder)
    options = {"port": str(port), "bind": "127.0.0.1", "dir": os.fspath(folder), "appendonly": "yes", "save": ""}
    if is_embedded:
        tls_port = 0  # it was built without
    else:
        files = {"cert-file": "cert.pem", "key-file": "key.pem", "ca-cert-file": "ca.pem"}
        options |= {"tls-port": str(tls_port), "tls-auth-clients": "no"}
        options |= {f"tls-{name}": f"{folder}/{file}" for name, file in files.items()}
    command = [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
    url = f"redis://127.0.0.1:{port}/0"
    environ = {"LC_ALL": "C.UTF-8", "PATH": _SYSTEM_PATH}
    server = Server(folder, url, tls_port, Program(command, environ, lambda: _redis_answers(url)))
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _redis_answers(url: str) -> bool:
    with suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=1) as client:
        return bool(client.ping())
    return False


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Server]:
    """One for the session; whoever ends it starts it again."""
    with running_rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def redis_streams() -> Iterator[Server]:
    with running_redis() as server:
        yield server

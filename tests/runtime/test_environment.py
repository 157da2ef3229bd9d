import socket

import pytest

from vaultsite.runtime.environment import completed
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.services import environment_for, live_port, port, require_free_ports

EMBEDDED = {
    "VAULT_HOME": "/h",
    "VAULT_REDIS_URL": "unix:///h/redis.sock",
    "VAULT_SECRET_KEY_FILE": "/h/key",
    "VAULT_DATABASE_URL": "postgres://app@/vault",
    "VAULT_SYSTEM_DATABASE_URL": "postgres://system@/vault",
    "VAULT_OWNER_DATABASE_URL": "postgres://owner@/vault",
}
DATABASES = {name for name in EMBEDDED if name.endswith("DATABASE_URL")}


def test_what_is_missing_is_filled_in():
    assert completed({"PATH": "/bin"}, EMBEDDED) == {"PATH": "/bin", **EMBEDDED}


@pytest.mark.parametrize("variable", ["VAULT_DATABASE_URL", "VAULT_DATABASE_URL_FILE"])
def test_one_given_database_keeps_all_embedded_ones_out(variable):
    found = completed({variable: "given"}, EMBEDDED)
    assert {name for name in found if "DATABASE" in name} == {variable}
    assert found["VAULT_REDIS_URL"] == EMBEDDED["VAULT_REDIS_URL"]


def test_a_given_secret_key_keeps_the_embedded_file_out():
    assert "VAULT_SECRET_KEY_FILE" not in completed({"VAULT_SECRET_KEY": "given"}, EMBEDDED)


@pytest.mark.parametrize(
    ("process", "known"),
    [
        ("web", {"VAULT_DATABASE_URL"}),
        ("live", {"VAULT_DATABASE_URL"}),
        ("worker", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("beat", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("relay", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("webhooks", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("manage", DATABASES),
    ],
)
def test_each_process_knows_only_its_databases(process, known):
    given = {**EMBEDDED, "VAULT_OWNER_DATABASE_URL_FILE": "/owner"}
    found = {name for name in environment_for(process, given) if "DATABASE_URL" in name}
    assert found - {"VAULT_OWNER_DATABASE_URL_FILE"} == known
    assert ("VAULT_OWNER_DATABASE_URL_FILE" in found) == (process == "manage")


def test_the_live_feed_listens_beside_the_web():
    assert (port({}), live_port({})) == (8000, 8001)
    assert live_port({"PORT": "9000"}) == 9001
    assert live_port({"PORT": "9000", "VAULT_LIVE_PORT": "7000"}) == 7000


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(StartError, match="PORT must be a port number"):
        port({"PORT": text})


def test_a_port_in_use_is_told_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"port {number} is in use: set PORT to another one"):
            require_free_ports({"PORT": str(number)})
        with pytest.raises(StartError, match=f"port {number} is in use: set VAULT_LIVE_PORT to another one"):
            require_free_ports({"PORT": "1", "VAULT_LIVE_PORT": str(number)})

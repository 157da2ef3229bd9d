"""Nothing is lost between a commit and the broker, whoever is killed: the relay, the broker, the database.

T85: every event that was committed is counted at the other end, and the first arrivals of a dataset are in its order.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import amqp
import pytest
from django.db import DatabaseError, connections

from audit.brokers.base import EXCHANGE
from tests.brokers import PASSWORD, USER
from tests.factories.audit import dataset_ref, make_event, record
from tests.factories.deliveries import empty_queue
from tests.journeys.waiting import until
from vaultsite.kernel.errors import VaultError
from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.environment import PROJECT

pytestmark = pytest.mark.slow
DATASETS, BATCH, TAKEN = 12, 5, 500
QUEUE = "journey"
#: A relay as production starts it, with small batches, so that a kill meets one in the middle, and short waits.
RELAY = """
import sys
import django
django.setup()
from django.core.management import call_command
from audit.relay import backoff, publish
from audit.services import relay
backoff.LONGEST = 1.0
publish_batch, relay_batch = publish.publish_batch, relay.relay_batch
publish_batch.__kwdefaults__["limit"] = relay_batch.__kwdefaults__["limit"] = 20
call_command("relay")
"""


@contextmanager
def running_relay(url: str, folder: Path):
    environ = dict(os.environ) | {"VAULT_BROKER_URL": url, "DJANGO_SETTINGS_MODULE": "vaultsite.settings"}
    with (folder / "relay.log").open("ab") as log:
        command = launch_command(sys.executable, "-c", RELAY, death_signal="KILL")
        process = subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Writer(threading.Thread):
    """Writes events of several datasets until it is ended, and remembers those that were committed, in their order."""

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__()
        self.committed: dict[UUID, list[str]] = {uuid4(): [] for _ in range(DATASETS)}
        self.unsure: set[str] = set()
        self.is_ending = False
        self._tenant_id = tenant_id

    def run(self) -> None:
        try:
            while not self.is_ending:
                for dataset_id, committed in self.committed.items():
                    self._write(dataset_id, committed)
                time.sleep(0.3)  # no faster than what is counted at the other end
        finally:
            connections.close_all()

    def _write(self, dataset_id: UUID, committed: list[str]) -> None:
        events = [make_event(resource=dataset_ref(dataset_id)) for _ in range(BATCH)]
        names = [str(event.id) for event in events]
        try:
            record(self._tenant_id, *events)
        except (DatabaseError, VaultError):  # the database is restarting: whether they were committed is not known
            self.unsure.update(names)
            time.sleep(0.1)
        else:
            committed += names

    @property
    def count(self) -> int:
        return sum(map(len, self.committed.values()))


@contextmanager
def receiving(server):
    connection = amqp.Connection(server.url.split("@")[1].strip("/"), USER, PASSWORD, login_method="PLAIN")
    connection.connect()
    try:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        channel.queue_bind(QUEUE, EXCHANGE, "vault.events.#")
        yield channel
    finally:
        with suppress(OSError, amqp.AMQPError):
            connection.close()
        connection.collect()


def arrivals(server, into: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Take some of what lies in the queue: (partition key, event id), in the order of arrival, some of it twice."""
    with suppress(OSError, amqp.AMQPError), receiving(server) as channel:
        for _ in range(TAKEN):
            message = channel.basic_get(QUEUE)
            if message is None:
                break
            headers = message.properties["application_headers"]
            into.append((headers["ce-partitionkey"], message.properties["message_id"]))
            channel.basic_ack(message.delivery_tag)
    return into


def restart_database() -> None:
    """The supervisor of the test servers starts it again."""
    note = Path(os.environ["VAULT_TEST_HOME"]) / "run" / "postgres.pid"
    before = int(note.read_text().split()[0])
    os.kill(before, signal.SIGINT)
    until(lambda: note.exists() and int(note.read_text().split()[0]) != before, seconds=60)
    connections.close_all()  # those of the test have ended with it


def test_nothing_is_lost_and_the_order_holds_whoever_is_killed(tenant, rabbitmq, tmp_path):
    empty_queue()
    arrived: list[tuple[str, str]] = []
    arrivals(rabbitmq, [])
    writer = Writer(tenant.pk)
    writer.start()
    try:
        with running_relay(rabbitmq.url, tmp_path):
            until(lambda: len(arrivals(rabbitmq, arrived)) > 100, every=0.5)
        with running_relay(rabbitmq.url, tmp_path) as second:
            seen = len(arrived)
            until(lambda: len(arrivals(rabbitmq, arrived)) > seen + 100, every=0.5)
            second.kill()
        with running_relay(rabbitmq.url, tmp_path), running_relay(rabbitmq.url, tmp_path):
            seen = len(arrived)
            until(lambda: len(arrivals(rabbitmq, arrived)) > seen + 100, every=0.5)
            rabbitmq.kill()
            rabbitmq.start()
            seen = len(arrived)
            until(lambda: len(arrivals(rabbitmq, arrived)) > seen + 100, every=0.5)
            restart_database()
            seen = len(arrived)
            until(lambda: len(arrivals(rabbitmq, arrived)) > seen + 100, every=0.5)
            writer.is_ending = True
            writer.join()
            wanted = {name for names in writer.committed.values() for name in names}
            until(lambda: wanted <= {name for _, name in arrivals(rabbitmq, arrived)}, every=0.5)
    finally:
        writer.is_ending = True
        writer.join()
        empty_queue()
    assert writer.count > 400
    first: defaultdict[str, list[str]] = defaultdict(list)
    for key, name in dict.fromkeys(arrived):
        if name not in writer.unsure:
            first[key].append(name)
    assert {str(dataset): names for dataset, names in writer.committed.items()} == {
        str(dataset): first[str(dataset)] for dataset in writer.committed
    }

"""Bring events out of the vault until a signal asks for the end."""

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.relay.loop import run_relay
from vaultsite.watch import WatchRound


class Command(BaseCommand):
    help = (
        "Hands events on to the live feed, to webhooks and to the message broker of VAULT_BROKER_URL, in order and at "
        "least once, and seals them into the audit's log, until it is ended. Several may run: one at a time works, the "
        "others stand by."
    )
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        if "system" not in settings.DATABASES:
            raise CommandError("the relay works for all tenants: set VAULT_SYSTEM_DATABASE_URL")
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        run_relay(stop, WatchRound())

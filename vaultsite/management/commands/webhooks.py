"""Send webhooks until a signal asks for the end."""

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.webhooks.loop import send_until


class Command(BaseCommand):
    help = "Sends the events that wait for webhooks, until it is ended. Several may run: an endpoint is one sender's."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        if "system" not in settings.DATABASES:
            raise CommandError("webhooks are sent for all tenants: set VAULT_SYSTEM_DATABASE_URL")
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        send_until(stop)

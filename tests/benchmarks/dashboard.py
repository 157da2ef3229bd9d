"""The home page over a month of events: the page itself and every piece it fetches, as one browser asks for them."""

import re
import time
from statistics import median
from typing import Final

from django.conf import settings
from django.test import Client, override_settings

from access.models import Tenant
from access.services.tenants import operator
from tests.benchmarks.audit_load import Loaded
from tests.benchmarks.audit_queries import loaded_months
from tests.benchmarks.figures import Figure, Plan
from tests.factories.access import make_user, sign_in
from vaultsite.dashboard.pages import FETCHED
from vaultsite.kernel.tenancy.scope import tenant_scope

_PERIOD: Final = "30d"
#: What the home page fetches: each piece has its own place.
_PIECE: Final = re.compile(r"/admin/home/(\w+)/\?")
_PLAIN: Final = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def measure_dashboard(plan: Plan) -> list[Figure]:
    """``dashboard_ms``: server time of the home page and all of its pieces, one after another, over 30 days."""
    small, large = loaded_months(plan)
    with override_settings(STORAGES=settings.STORAGES | _PLAIN):
        before, after = _parts(small, plan.rounds), _parts(large, plan.rounds)
    parts = ", ".join(f"{name} {took:.0f}" for name, took in after.items())
    few = sum(before.values())
    note = f"{large.events:,} events of 30 days, medians: {parts} ms; with {small.events:,} events {few:.0f} ms in all"
    return [Figure("dashboard_ms", sum(after.values()), "ms", few, large.events, plan.seed, note)]


def _parts(month: Loaded, rounds: int) -> dict[str, float]:
    """Milliseconds of the home page and of each piece: medians, the first round left out."""
    client = _browser(month)
    home = client.get("/admin/", {"period": _PERIOD})
    assert home.status_code == 200, home.content[:500]
    pages = {"home": "/admin/"} | {name: f"/admin/home/{name}/" for name in _PIECE.findall(home.content.decode())}
    assert len(pages) > 1, "the home page fetches no piece"
    took: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(rounds + 1):
        for name, page in pages.items():
            started = time.perf_counter()
            answer = client.get(page, {"period": _PERIOD}, headers={FETCHED: "1"})
            took[name].append((time.perf_counter() - started) * 1e3)
            assert answer.status_code == 200, (name, answer.content[:500])
    return {name: median(each[1:]) for name, each in took.items()}


def _browser(month: Loaded) -> Client:
    """Somebody who is shown every piece there is for those who oversee."""
    with tenant_scope(month.tenant_id, operator(month.tenant_id)):
        tenant = Tenant.objects.get(pk=month.tenant_id)
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in(tenant, make_user(tenant, "tenant_admin", "data_steward"))
    return client

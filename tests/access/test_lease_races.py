"""Quotas and revocations while many read at once, in real threads against PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from access.errors import AccessDenied
from access.leases.errors import LeaseEnded, QuotaExhausted
from access.services.leases import revoke_lease
from access.services.metering import PAGE_ROWS
from datasets.services.read import stream_data
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import fresh, lease_for, open_as, person
from vaultsite.kernel.tenancy.principal import RequestFacts

READERS = 32
#: Readers share the connections of this one process, and none waits long for one.
_OPENING = threading.Semaphore(8)


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(600)))
    return dataset


def read_out(tenant, dataset, reader, start):
    """Lines handed to one reader until the lease gives no more."""
    count = 0
    try:
        with _OPENING:
            stream = stream_data(open_as(tenant, dataset, reader), reader, RequestFacts())
            connections.close_all()
        start.wait(timeout=300)
        try:
            for _ in stream:
                count += 1
                if count % PAGE_ROWS == 0:
                    connections.close_all()
        except (QuotaExhausted, LeaseEnded, AccessDenied):
            pass
    finally:
        connections.close_all()
    return count


@pytest.mark.parametrize("quota", [1_001, 5_000])
def test_32_readers_at_once_are_never_given_one_record_more_than_the_quota(tenant, filled, quota):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer, row_quota=quota)
    start = threading.Barrier(READERS)
    with ThreadPoolExecutor(READERS) as pool:
        handed = sum(pool.map(lambda _: read_out(tenant, filled, viewer, start), range(READERS)))
    assert handed <= quota
    assert fresh(tenant, lease).rows_used == handed
    # what one gave back at its end is there for the next
    with pytest.raises((QuotaExhausted, StopIteration)):
        while True:
            stream = stream_data(open_as(tenant, filled, viewer), viewer, RequestFacts())
            handed += sum(1 for _ in _until_exhausted(stream))
            if fresh(tenant, lease).rows_left == 0:
                raise StopIteration
    assert handed == quota


def _until_exhausted(stream):
    try:
        yield from stream
    except QuotaExhausted:
        return


def test_a_revocation_stops_every_stream_within_a_page(tenant, filled):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer)
    streams = [stream_data(open_as(tenant, filled, viewer), viewer, RequestFacts()) for _ in range(8)]
    for stream in streams:
        next(stream)
    steward = person(tenant, "data_steward")
    with acting(tenant, steward):
        revoke_lease(steward, lease_id=lease.pk, reason="over")
    for stream in streams:
        more = 0
        with pytest.raises(LeaseEnded):
            for _ in stream:
                more += 1
        assert more < 200

"""Resealings of the token vault whose worker is killed: one new key, every token sealed under it, every token open."""

from datetime import timedelta

import pytest

from access.models import EncryptionKey, KeyPurpose, KeyState
from anonymization.models import Token, TokenResealing, TokenSpace
from anonymization.services.token_vault.upkeep import rotate_space
from anonymization.services.tokens import TokenScope, detokenize_values, tokenize_values
from tests.factories.access import acting
from tests.factories.datasets import make_dataset, someone
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.crypto.aead import read_key_id
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow
VALUES = [f"person number {index}" for index in range(10)]
JOB = 'UPDATE "anonymization_tokenresealing"'
DEATHS = {
    "the new key is made": ([JOB, '"new_key" ='], 1),
    "a second batch is sealed": ([JOB, '"moved_count" ='], 2),
    "a batch is noted": (['FROM "anonymization_token"', "FOR UPDATE"], 2),
    "all is sealed": ([JOB, "'stage': 'done'"], 1),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_resealing_killed_anywhere_goes_on_and_no_token_is_lost(tenant, tmp_path, monkeypatch, death):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    officer, scope = someone(tenant, "privacy_officer"), TokenScope(make_dataset(tenant).pk, "evaluation")
    with acting(tenant, officer):
        tokens = tokenize_values(scope, VALUES)
        job = rotate_space(officer, space_id=TokenSpace.objects.get().pk)

    def opened():
        with acting(tenant, officer):
            return detokenize_values(scope, tokens)

    def final():
        reap()
        with acting(tenant):
            row = TokenResealing.objects.get(pk=job.pk)
        return row if row.is_final else None

    words, count = DEATHS[death]
    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        until(lambda: reap() is None or (tmp_path / "died").exists())
        assert opened() == VALUES
        done = until(final, every=0.3)
    assert (done.status, done.error, done.moved_count) == ("succeeded", None, len(VALUES))
    assert done.attempt > 1
    with acting(tenant):
        keys = EncryptionKey.objects.filter(purpose=KeyPurpose.TOKEN).order_by("version")
        assert [key.state for key in keys] == [KeyState.DECRYPT_ONLY, KeyState.ACTIVE]
        assert {read_key_id(bytes(row.sealed)) for row in Token.objects.all()} == {done.new_key}
    assert opened() == VALUES

"""Originals, tokens and keys stand in no log, statement, event, message or answer that is not theirs."""

import logging
from contextlib import contextmanager

import pytest
from django.db import connections

from access.services.keyring import KeyPurpose, current_key
from anonymization.models import Token, TokenResealing
from anonymization.services.token_vault import reveal
from anonymization.services.token_vault.resealing import run_resealing
from anonymization.services.token_vault.upkeep import expire_space, forget_tokens, rotate_space
from anonymization.services.tokens import TokenForm, TokenScope, detokenize, tokenize
from anonymization.tokens.form import TokenKind
from audit.models import AuditEvent, OutboxEntry
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import someone

ORIGINALS = ["Ada Lovelace", "ada.lovelace@example.org", "4111111111111111", "078-05-1120"]


class Everything(logging.Handler):
    """Every record of every logger, with its arguments and its exception."""

    def __init__(self):
        super().__init__(level=1)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.getMessage()} {record.args!r} {record.exc_info!r} {vars(record)!r}")


@contextmanager
def overheard():
    """All logging at its loudest, and every statement with its parameters."""
    handler, root = Everything(), logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    levels = [(logger, logger.level, logger.disabled) for logger in loggers]
    statements = []

    def listen(execute, sql, params, many, context):
        statements.append(f"{sql} {params!r}")
        return execute(sql, params, many, context)

    for logger, _, _ in levels:
        logger.setLevel(1)
        logger.disabled = False
    root.addHandler(handler)
    try:
        with connections["default"].execute_wrapper(listen), connections["durable"].execute_wrapper(listen):
            yield handler.lines, statements
    finally:
        root.removeHandler(handler)
        for logger, level, is_disabled in levels:
            logger.setLevel(level)
            logger.disabled = is_disabled


def assert_absent(secrets, *places):
    text = "\n".join(str(line) for place in places for line in place)
    assert [secret for secret in secrets if secret in text] == []
    assert [secret for secret in secrets if secret.encode().hex() in text] == []


def used(tenant, dataset_scope):
    """Everything that can be done to tokens, over REST and inside scopes; returns the tokens."""
    scope = {"dataset_id": str(dataset_scope.dataset_id), "purpose": dataset_scope.purpose}
    maker, officer = caller(tenant, "data_steward"), caller(tenant, "privacy_officer")
    tokens = []
    for members in ({"scope": scope}, {"kind": "random"}, {"scope": scope, "format": "card"}):
        answer = send(maker, "POST", "/tokenize", {"values": [*ORIGINALS, "no"], **members}).json()
        tokens += [one["token"] for one in answer["results"] if "token" in one]
    for where in ({"scope": scope}, {}):
        assert send(officer, "POST", "/detokenize", {"tokens": tokens, **where}).status_code == 200
    assert send(maker, "POST", "/detokenize", {"tokens": tokens}).status_code == 403
    assert send(maker, "POST", "/tokenize", {"values": [ORIGINALS[0], 7]}).status_code == 400
    return tokens


def test_nothing_that_happens_to_tokens_is_written_down(tenant, scope, officer, as_officer):
    with overheard() as (lines, statements):
        tokens = used(tenant, scope)
        with acting(tenant):
            spaces = list(Token.objects.values_list("space_id", flat=True).distinct())
        jobs = [as_officer(rotate_space, officer, space_id=pk) for pk in spaces]
        for job in jobs:
            run_resealing(tenant.pk, job.pk)
        as_officer(forget_tokens, values=ORIGINALS[:1])
        as_officer(expire_space, officer, space_id=spaces[0])
    assert len(tokens) >= 9
    assert any("anonymization_token" in statement for statement in statements)
    with acting(tenant):
        bodies = [bytes(body).decode() for body in AuditEvent.objects.values_list("body", flat=True)]
        jobs = [repr(row) for row in TokenResealing.objects.values()]
        rows = [
            repr(row) + repr({name: bytes(value) for name, value in row.items() if isinstance(value, memoryview)})
            for row in Token.objects.values()
        ]
        keys = [
            current_key(purpose, scope.dataset_id).key.reveal().hex()
            for purpose in (KeyPurpose.TOKEN, KeyPurpose.TOKEN_INDEX, KeyPurpose.FORMAT)
        ]
    outbox = [repr(row) for row in OutboxEntry.objects.using("owner").filter(tenant=tenant).values()]
    assert bodies
    assert outbox
    secrets = [*ORIGINALS, *tokens]
    assert_absent(secrets, lines, statements, bodies, outbox, jobs, rows)
    assert_absent(keys, lines, statements, bodies, outbox)


def test_a_fault_half_way_quotes_nothing(tenant, scope):
    maker, officer = caller(tenant, "data_steward"), caller(tenant, "privacy_officer")
    body = {"values": ORIGINALS[:2], "scope": {"dataset_id": str(scope.dataset_id), "purpose": scope.purpose}}
    tokens = [one["token"] for one in send(maker, "POST", "/tokenize", body).json()["results"]]
    with acting(tenant):
        first, second = Token.objects.order_by("pk")
        Token.objects.filter(pk=first.pk).update(sealed=bytes(second.sealed))
    with overheard() as (lines, statements):
        answer = send(officer, "POST", "/detokenize", {"tokens": tokens, "scope": body["scope"]})
    assert (answer.status_code, answer.json()["code"]) == (500, "VAULT_CRYPTO_5001")
    assert_absent([*ORIGINALS, *tokens], lines, statements, [answer.content])
    with acting(tenant):
        assert not Token.objects.filter(reveals__gt=0).exists(), "nothing was shown, so nothing is counted"


def test_what_holds_values_does_not_show_them(tenant, scope, as_officer, officer):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        issued = tokenize(steward, scope=TokenScope(), form=TokenForm(TokenKind.RANDOM), values=ORIGINALS)
    tokens = [one.token for one in issued]
    revealed = as_officer(detokenize, officer, scope=TokenScope(), tokens=tokens)
    assert [one.value for one in revealed] == ORIGINALS
    assert_absent([*ORIGINALS, *tokens], map(repr, issued), map(repr, revealed))


def test_guessing_ends(tenant, scope, monkeypatch):
    monkeypatch.setattr(reveal, "MAX_UNKNOWN", 5)
    maker, officer = caller(tenant, "data_steward"), caller(tenant, "privacy_officer")
    body = {"scope": {"dataset_id": str(scope.dataset_id), "purpose": scope.purpose}}
    (one,) = send(maker, "POST", "/tokenize", {"values": ["123456"], "format": "digits", **body}).json()["results"]
    guesses = {"tokens": [f"{index:06}" for index in range(6) if f"{index:06}" != one["token"]], **body}
    assert send(officer, "POST", "/detokenize", guesses).status_code == 200
    answer = send(officer, "POST", "/detokenize", {"tokens": [one["token"]], **body})
    assert (answer.status_code, answer.json()["code"]) == (429, "VAULT_ANON_6039")
    assert answer["Retry-After"] == "3600"
    another = caller(tenant, "privacy_officer")
    assert send(another, "POST", "/detokenize", {"tokens": [one["token"]], **body}).json()["results"] == [
        {"value": "123456"}
    ]


@pytest.mark.parametrize("name", ["log_statement", "log_min_duration_statement", "log_parameter_max_length_on_error"])
def test_the_database_logs_no_parameters(tenant, name):
    with acting(tenant), connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        assert cursor.fetchone()[0] in {"none", "-1", "0"}

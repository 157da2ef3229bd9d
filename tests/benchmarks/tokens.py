"""Tokens through REST in batches, PostgreSQL included, against bare rows of the same size."""

import secrets
from typing import Any

from django.db import connections
from django.test import Client

from access.services.api_keys import create_api_key
from access.services.tenants import operator
from tests.benchmarks.figures import Cost, Figure, Plan, cost_of, interleaved
from tests.benchmarks.vault import new_dataset, steward
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope

BATCH = 1_000
PURPOSE = "evaluation"
_BARE = """
    CREATE TABLE IF NOT EXISTS benchmark_bare (
        id uuid PRIMARY KEY, tenant_id uuid NOT NULL, space_id uuid NOT NULL, generation smallint NOT NULL,
        kind varchar(1) NOT NULL, value_index bytea NOT NULL, slot bytea NOT NULL, token_index bytea NOT NULL,
        sealed bytea NOT NULL, uses integer NOT NULL, reveals integer NOT NULL, expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (tenant_id, id), UNIQUE (tenant_id, space_id, token_index),
        UNIQUE (tenant_id, space_id, value_index, slot)
    )
"""
_DROP = "DROP TABLE IF EXISTS benchmark_bare"
_INSERT = """
    INSERT INTO benchmark_bare (
        id, tenant_id, space_id, generation, kind, value_index, slot, token_index, sealed, uses, reveals
    )
    SELECT id, %s, %s, 1, 'd', value_index, slot, token_index, sealed, 1, 0
      FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
           AS g(id, value_index, slot, token_index, sealed)
        ON CONFLICT DO NOTHING
"""


def measure_tokens(plan: Plan) -> list[Figure]:
    """``tokenize_per_s`` and ``detokenize_per_s``, and their ratio to inserting the same rows bare."""
    principal = steward()
    batches = max(plan.texts // 400, 1)
    with new_dataset(principal) as dataset, _bare_table():
        scope = {"dataset_id": str(dataset.pk), "purpose": PURPOSE}
        maker, revealer = _client(principal, "data_steward"), _client(principal, "privacy_officer")
        tokens: list[list[str]] = []

        def tokenize() -> Cost:
            values = [_values() for _ in range(batches)]
            return cost_of(lambda: tokens.extend(_tokens(maker, "tokenize", "values", one, scope) for one in values))

        def detokenize() -> Cost:
            if not tokens:
                tokens.append(_tokens(maker, "tokenize", "values", _values(), scope))
            last = (tokens * batches)[-batches:]
            return cost_of(lambda: [_tokens(revealer, "detokenize", "tokens", one, scope) for one in last])

        def bare() -> Cost:
            rows = [_rows(len(one)) for one in [_values()] * batches]
            return cost_of(lambda: [_insert(principal, columns) for columns in rows])

        made, shown, plain = interleaved(plan.rounds, tokenize, detokenize, bare)
    count = BATCH * batches
    note = (
        f"by the clock, one client, deterministic, batches of {BATCH}; baseline: rows a second of the same columns and "
        "indexes by INSERT .. SELECT unnest, without row-level security and foreign keys; "
        f"median of {plan.rounds} rounds in turns"
    )
    base = count / plain.wall
    return [
        Figure("tokenize_per_s", count / made.wall, "values/s", base, count, plan.seed, note),
        Figure("detokenize_per_s", count / shown.wall, "tokens/s", base, count, plan.seed, note),
        Figure("tokenize_ratio", made.wall / plain.wall, "ratio", base, count, plan.seed, note),
        Figure("detokenize_ratio", shown.wall / plain.wall, "ratio", base, count, plan.seed, note),
    ]


def _client(principal: Principal, role: str) -> Client:
    boss = operator(principal.tenant_id)
    with tenant_scope(principal.tenant_id, boss):
        _, key = create_api_key(boss, name=f"b-{uuid7().hex[-12:]}", roles=(role,))
    return Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {key}", "X-Vault-Purpose": PURPOSE})


def _tokens(client: Client, path: str, member: str, batch: list[str], scope: dict[str, str]) -> list[str]:
    answer = client.post(f"/api/v1/{path}", {member: batch, "scope": scope}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    wanted = "token" if path == "tokenize" else "value"
    return [one[wanted] for one in results]


def _values() -> list[str]:
    return [f"person-{secrets.token_hex(6)}@example.org" for _ in range(BATCH)]


def _rows(count: int) -> list[list[Any]]:
    digests = [[secrets.token_bytes(16) for _ in range(count)] for _ in range(3)]
    return [[uuid7() for _ in range(count)], *digests, [secrets.token_bytes(190) for _ in range(count)]]


def _insert(principal: Principal, columns: list[list[Any]]) -> None:
    with tenant_scope(principal.tenant_id, principal), connections["owner"].cursor() as cursor:
        cursor.execute(_INSERT, [current_tenant_id(), uuid7(), *columns])


class _bare_table:  # noqa: N801 - reads as a block
    """The table of the baseline, while it is needed."""

    def __enter__(self) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(_BARE)

    def __exit__(self, *_: object) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(_DROP)

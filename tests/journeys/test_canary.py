"""No plaintext at rest: what is sent to a vault is in no file of it, in no query, and in nothing it prints."""

import base64
import gzip
import http.client
import json
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from tests.journeys.vault import running_vault
from tests.journeys.waiting import until
from vaultsite.runtime.postgres import admin_url

pytestmark = pytest.mark.slow
PLACES = (
    "value", "key", "csv", "gzip", "rejected", "refused-line", "duplicate", "aborted", "slow", "description", "message",
    "id", "password", "credential", "query", "path", "detect", "header", "body", "idempotency",
)  # fmt: skip


def make_canary(place: str) -> str:
    """Not like anything else: a word that no compression, index or log can hold by chance."""
    return f"canary-{place}-ünïque-{uuid4().hex}"


def forms_of(canary: str) -> dict[str, bytes]:
    """What the canary could look like in a file. Its random part alone is searched for, in every writing of it."""
    unique = canary.rpartition("-")[2]
    raw = unique.encode()
    found = {"utf-8": raw, "utf-16": unique.encode("utf-16-le"), "hex": raw.hex().encode(), "reversed": raw[::-1]}
    for shift in range(3):  # the three ways base64 can cut it
        encoded = base64.b64encode(b"x" * shift + raw)
        found[f"base64+{shift}"] = encoded[4 if shift else 0 : -4]
    return found


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canary")
    temporary = folder / "tmp"
    temporary.mkdir()
    with running_vault(folder, TMPDIR=str(temporary)) as running:
        yield running


@pytest.fixture(scope="module")
def steward(vault):
    key = vault.manage("create_api_key", "--tenant", "demo", "--role", "data_steward")
    return {"Authorization": f"Bearer {key}", "X-Vault-Purpose": "evaluation"}


def hits(vault, canaries):
    """Where any form of any canary is: files below VAULT_HOME, its temp folder and the system's, and the output."""
    needles = [(place, form, text) for place, canary in canaries.items() for form, text in forms_of(canary).items()]
    found = []
    roots = [vault.home.path, vault.said.parent / "tmp", vault.said, *_fresh_temporaries()]
    for path in (file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))):
        if path.is_file():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            found += [(str(path), place, form) for place, form, text in needles if text in content]
    return found


def _fresh_temporaries():
    """Files right in the system's temp folders that could be spooled bodies."""
    for folder in {Path(tempfile.gettempdir()), Path("/dev/shm"), Path("/var/tmp")}:
        for path in folder.glob("*"):
            with suppress(FileNotFoundError):
                if path.is_file() and os.access(path, os.R_OK) and path.stat().st_size < 100_000_000:
                    yield path


def sessions(vault):
    with psycopg.connect(admin_url(vault.home)) as connection:
        return [query for (query,) in connection.execute("SELECT query FROM pg_stat_activity").fetchall()]


def flush_to_disk(vault):
    with psycopg.connect(admin_url(vault.home), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def test_the_search_finds_what_is_there(vault):
    """The control: each form planted in a file is found."""
    canary = make_canary("control")
    for form, text in forms_of(canary).items():
        planted = vault.home.path / "planted"
        planted.write_bytes(b"before " + text + b" after")
        assert form in {hit[2] for hit in hits(vault, {"control": canary})}
        planted.unlink()


def test_nothing_that_was_sent_is_stored_or_printed_in_the_clear(vault, steward):
    canaries = {place: make_canary(place) for place in PLACES}
    status, body = vault.ask("POST", "/datasets", {"name": f"canaries {uuid4().hex[:8]}"}, **steward)
    assert status == 201
    data = f"/datasets/{json.loads(body)['id']}/data"
    _send_all(vault, steward, data, canaries)
    _send_slowly(vault, steward, data, canaries)
    flush_to_disk(vault)
    status, body = vault.ask("GET", data, **steward)
    stored = {place for place, canary in canaries.items() if canary in body.decode()}
    assert stored == {"value", "key", "csv", "gzip", "slow"}
    # Redis writes its log of commands and its snapshot on its own; give both their time.
    for _ in range(3):
        assert hits(vault, canaries) == []
        vault.ask("GET", "/datasets", **steward)


def _send_all(vault, steward, data, canaries):
    def post(query, body, expected, **headers):
        status, answer = vault.ask("POST", f"{data}?mode=append&wait=60{query}", body, **(steward | headers))
        assert status == expected, answer
        return answer

    text = {place: json.dumps(canary) for place, canary in canaries.items()}
    raw = {place: canary.encode() for place, canary in canaries.items()}
    post("", f'{{"text": {json.dumps(canaries["value"], ensure_ascii=False)}}}\n{{{text["key"]}: 1}}\n'.encode(), 201)
    post("&format=csv", b"word\r\n" + raw["csv"] + b"\r\n", 201)
    post("", gzip.compress(f'{{"text": {text["gzip"]}}}\n'.encode()), 201)
    post("&on_error=reject", f'{{"n": 1}}\n{{"broken": {text["rejected"]}\n'.encode(), 201)
    post("", f'{{"n": 1}}\n{{"broken": {text["refused-line"]}\n'.encode(), 400)
    twice = f'{{"a": {text["duplicate"]}, "a": 1}}\n'
    post("", twice.encode(), 400)
    post("", json.dumps({"id": f"{canaries['id']}@example.com"}).encode(), 400)
    post(f"&message={quote(canaries['message'])}%20jane.roe@example.com", b'{"n": 1}\n', 400)
    post("", b'{"n": 2}\n', 201, **{"Idempotency-Key": canaries["idempotency"].encode().hex()[-64:]})
    _abort(vault, steward, data, canaries["aborted"])

    def refused(method, path, body=None, **headers):
        status, _ = vault.ask(method, path, body, **headers)
        assert 400 <= status < 500, (method, path, status)

    refused("POST", "/datasets", {"name": "x", "description": f"{canaries['description']} jane@example.com"}, **steward)
    refused("POST", "/datasets", b'{"name": "' + raw["body"] + b'", broken', **steward)
    refused("GET", "/datasets", Authorization=f"Bearer ldv_{canaries['credential'].rpartition('-')[2]}")
    refused("GET", f"/datasets?limit={quote(canaries['query'])}", **steward)
    refused("GET", f"/datasets/{quote(canaries['path'])}", **steward)
    refused("GET", "/datasets", **(steward | {"X-Vault-Purpose": canaries["header"].rpartition("-")[2] + "@"}))
    status, _ = vault.ask("POST", "/detect-pii", {"text": canaries["detect"]}, **steward)
    assert status == 200
    _sign_in_wrongly(vault, canaries["password"])


def _abort(vault, steward, data, canary):
    """A client that hangs up in the middle of its file."""
    connection = http.client.HTTPConnection("127.0.0.1", vault.port, timeout=60)
    line = json.dumps({"text": canary}).encode() + b"\n"
    connection.putrequest("POST", f"/api/v1{data}", skip_host=True)
    for name, value in (steward | {"Host": "localhost", "Content-Length": "50000000"}).items():
        connection.putheader(name, value)
    connection.endheaders(line * 50_000)
    connection.close()


def _send_slowly(vault, steward, data, canaries):
    """While a file is still arriving, and while it is worked on, nothing of it can be found."""
    line = json.dumps({"text": canaries["slow"] + " word" * 500}).encode() + b"\n"
    arrived, go_on = threading.Event(), threading.Event()

    def body():
        yield line * 4_000  # more than one sealed part
        arrived.set()
        go_on.wait(120)
        yield line * 10

    answers = []
    path = f"{data}?mode=append"
    sender = threading.Thread(target=lambda: answers.append(vault.ask("POST", path, body(), **steward)))
    sender.start()
    assert arrived.wait(120)
    flush_to_disk(vault)
    assert hits(vault, canaries) == []
    go_on.set()
    needles = [text for canary in canaries.values() for text in forms_of(canary).values()]

    def is_done():
        seen = "\n".join(sessions(vault)).encode()
        assert not [needle for needle in needles if needle in seen]
        if sender.is_alive():
            return False
        ingest = json.loads(answers[0][1])["id"]
        return json.loads(vault.ask("GET", f"/ingests/{ingest}", **steward)[1])["status"] == "succeeded"

    until(is_done, seconds=400, every=0.02)


def _sign_in_wrongly(vault, password):
    connection = http.client.HTTPConnection("127.0.0.1", vault.port, timeout=60)
    connection.request("GET", "/admin/login/", headers={"Host": "localhost"})
    page = connection.getresponse()
    cookie = page.getheader("Set-Cookie", "").split(";")[0]
    token = page.read().decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = f"csrfmiddlewaretoken={token}&tenant=demo&username=steward&password={quote(password)}"
    headers = {"Host": "localhost", "Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request(
        "POST", "/admin/login/", form, headers | {"Referer": f"http://localhost:{vault.port}/admin/login/"}
    )
    assert connection.getresponse().status in {200, 401, 403, 429}
    connection.close()

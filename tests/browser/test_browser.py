"""The pages in a real browser: signing in, uploading, reading as two roles, the audit; and the way to a masked file."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories.access import PASSWORD, make_user
from vaultsite.runtime.home import open_home
from vaultsite.runtime.services import command_line, environment_for

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NODE = shutil.which("node")
EMAIL = "ada.lovelace@example.com"
HIDDEN = "[mail]"
HOSTILE = "<script>document.title='stolen'</script><img src=x onerror=alert(1)>{{7*7}}"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "playwright-core").exists(),
        reason="playwright-core is not installed: npm install --prefix tests/browser",
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, vault_database: None) -> Iterator[str]:
    """The web process as ``make run`` starts it, on a port of its own."""
    with served(tmp_path_factory.mktemp("site")) as address:
        yield address


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[str]:
    """The address of a web process with these settings; its log is in ``folder``."""
    call_command("collectstatic", interactive=False, verbosity=0)
    environ = {**os.environ, "PORT": str(free_port()), "VAULT_LIVE_PORT": str(free_port()), **settings}
    command = command_line("web", open_home(os.environ["VAULT_HOME"]), environ)
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment_for("web", environ), stdout=log, stderr=log)
        try:
            wait_until_served(int(environ["PORT"]), process)
            yield f"http://localhost:{environ['PORT']}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_served(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert process.poll() is None, "the web process ended"
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health/live", headers={"Host": "localhost"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    pytest.fail("the web process did not answer within three minutes")


def write_files(folder: Path) -> dict[str, str]:
    turns = [
        {"role": "user", "content": f"Write to {EMAIL}. {HOSTILE}"},
        {"role": "assistant", "content": "Yes. " * 900},
    ]
    good, broken = folder / "good.jsonl", folder / "broken.jsonl"
    good.write_text("".join(json.dumps({"id": f"chat-{n}", "messages": turns}) + "\n" for n in range(3)))
    broken.write_text('{"id": "a"}\n{"id": "b"}\n{"id": \n')
    return {"good": str(good), "broken": str(broken)}


@pytest.fixture
def journey(tenant, site, worker, tmp_path) -> Callable[..., dict[str, Any]]:
    """Goes through a script with users of these roles; what it saw. VAULT_SCREENSHOTS is where pictures are kept."""
    pictures = Path(os.environ.get("VAULT_SCREENSHOTS") or tmp_path)
    pictures.mkdir(parents=True, exist_ok=True)

    def go(script: str, users: dict[str, str], **facts: Any) -> dict[str, Any]:
        told = facts | {
            "site": site,
            "organization": tenant.slug,
            "password": PASSWORD,
            "users": {name: make_user(tenant, role).username for name, role in users.items()},
            "pictures": str(pictures),
            "chromium": CHROMIUM,
        }
        command = [NODE, str(HERE / script), json.dumps(told)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert (seen["dialogs"], seen["errors"], seen["violations"]) == (0, [], [])
        return seen

    return go


def test_the_journey_of_a_steward_a_scientist_and_an_auditor(journey, tmp_path) -> None:
    users = {"steward": "data_steward", "scientist": "data_scientist", "auditor": "auditor"}
    seen = journey("journey.mjs", users, files=write_files(tmp_path))
    assert "Line 3" in seen["refused"]
    assert seen["stored"].startswith("Stored: 3 records in version v1.0.0.")
    assert seen["askedForPurpose"]
    assert seen["marked"] == [EMAIL] * 3
    assert seen["expandable"] == 3
    assert EMAIL not in seen["scientistText"]
    assert "Write to" in seen["scientistText"]
    assert seen["auditRows"] > 5
    assert seen["activityRows"] > 0
    assert seen["hostileText"]
    assert "stolen" not in seen["title"]


def test_the_way_from_personal_data_to_a_masked_file(journey, tmp_path) -> None:
    personal = tmp_path / "personal.jsonl"
    rows = [{"id": f"r{n}", "text": f"Write to {EMAIL} about order {n}."} for n in range(3)]
    personal.write_text("".join(json.dumps(row) + "\n" for row in rows))
    rule = {"name": "mail", "entities": ["EMAIL_ADDRESS"], "strategy": "replace", "parameters": {"label": HIDDEN}}
    policy = {"format": 1, "default": {"strategy": "mask"}, "rules": [rule]}
    users = {"steward": "data_steward", "scientist": "data_scientist"}
    seen = journey(
        "privacy.mjs",
        users,
        files={"personal": str(personal)},
        policy=json.dumps(policy),
        broken=json.dumps(policy | {"rules": [rule | {"strategy": "no-such"}]}),
    )
    assert seen["stored"].startswith("Stored: 3 records in version v1.0.0.")
    assert "email address" in seen["findings"]
    assert "strategy" in seen["refusal"]
    assert all(EMAIL in text for text in seen["before"])
    assert len(seen["after"]) == 3
    assert all(HIDDEN in text and EMAIL not in text for text in seen["after"])
    assert seen["scientistText"].count(HIDDEN) == 3
    assert EMAIL not in seen["scientistText"]
    exported = [json.loads(line) for line in seen["file"].splitlines()]
    assert sorted(row["text"] for row in exported) == [f"Write to {HIDDEN} about order {n}." for n in range(3)]

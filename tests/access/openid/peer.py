"""A certified OpenID provider (npm oidc-provider) in a process of its own, and a browser that walks between the two."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

FOLDER = Path(__file__).parents[2] / "openid"
#: Steps of redirects that any sign-in takes less than.
_STEPS = 15


def why_absent() -> str:
    """Why the provider cannot be started here; empty when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        return "oidc-provider is not installed: npm ci --prefix tests/openid"
    return ""


@dataclass
class Peer:
    """The running provider."""

    process: subprocess.Popen[str]
    issuer: str

    @classmethod
    def start(cls) -> "Peer":
        command = [str(shutil.which("node")), "provider.mjs"]
        process = subprocess.Popen(
            command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        return cls(process, f"http://127.0.0.1:{int(process.stdout.readline())}")

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def register(self, **client: Any) -> dict[str, Any]:
        """A client that registers itself (RFC 7591)."""
        answer = requests.post(f"{self.issuer}/reg", json=client, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def put_person(self, name: str, /, **claims: Any) -> None:
        """Somebody new there, or other facts of somebody."""
        requests.post(f"{self.issuer}/people", json={name: claims}, timeout=10).raise_for_status()


@dataclass
class Walker:
    """A browser: keeps the cookies of every host, follows redirects, and signs in at the provider when it is asked."""

    person: str = "alice"
    amr: tuple[str, ...] = ("pwd",)
    session: requests.Session = field(default_factory=requests.Session)
    #: Every address it was at.
    way: list[str] = field(default_factory=list)

    def open(self, url: str, *, until: str = "") -> requests.Response:
        """Walk from ``url`` to the first page that is no redirect, or to the first address that has ``until`` in it."""
        for _ in range(_STEPS):
            if until and until in url:
                self.way.append(url)
                return requests.Response()
            answer = self.session.get(url, allow_redirects=False, timeout=20)
            self.way.append(url)
            if urlsplit(url).path.startswith("/interaction/"):
                form = {"login": self.person, "amr": list(self.amr)}
                answer = self.session.post(url, data=form, allow_redirects=False, timeout=20)
            if not answer.is_redirect:
                return answer
            url = urljoin(url, answer.headers["Location"])
        raise AssertionError(self.way)

    def submit(self, page: requests.Response, **more: str) -> requests.Response:
        """Send the first form of a page."""
        action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
        hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        target = urljoin(page.url, action[1].replace("&amp;", "&") if action else "")
        answer = self.session.post(target, data=hidden | more, allow_redirects=False, timeout=20)
        return self.open(urljoin(target, answer.headers["Location"])) if answer.is_redirect else answer

"""Links for subjects: asked for here, made and mailed by compliance/requests/mail.py, followed once or a few times."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from compliance.errors.requests import LinkRefused
from compliance.models import RequestPackage, SubjectLink, SubjectRequest
from compliance.models.link import LinkKind
from compliance.requests.letters import require_mail

#: How long a link holds from when its mail went out, and how often it may be used.
LIFETIMES: Final[Mapping[LinkKind, timedelta]] = MappingProxyType(
    {LinkKind.IDENTITY: timedelta(hours=48), LinkKind.PACKAGE: timedelta(days=7)}
)
USES: Final[Mapping[LinkKind, int]] = MappingProxyType({LinkKind.IDENTITY: 1, LinkKind.PACKAGE: 3})
_BYTES: Final = 32
#: Characters of a token at most; longer ones are none of ours.
_LONGEST: Final = 64


def mail_identity_link(request: SubjectRequest) -> SubjectLink:
    """Have a link mailed that proves who has the address; those before no longer hold. Raises NoMailAddress."""
    require_mail(request)
    end_links(request, LinkKind.IDENTITY)
    return SubjectLink.objects.create(request=request, kind=LinkKind.IDENTITY, mail_at=timezone.now())


def mail_package_link(request: SubjectRequest, package: RequestPackage) -> SubjectLink:
    """Have a link mailed that opens a package; those before no longer hold. Raises NoMailAddress."""
    require_mail(request)
    end_links(request, LinkKind.PACKAGE)
    return SubjectLink.objects.create(request=request, kind=LinkKind.PACKAGE, package=package, mail_at=timezone.now())


def end_links(request: SubjectRequest, kind: LinkKind) -> None:
    """No link of this kind holds any more, nor does one go out that waits."""
    SubjectLink.objects.filter(request=request, kind=kind).update(token_hash=None, mail_at=None)


def make_token(link: SubjectLink) -> str:
    """A new token for a link that goes out now; the one before, whose mail may have failed, no longer holds."""
    token = secrets.token_urlsafe(_BYTES)
    SubjectLink.objects.filter(pk=link.pk).update(
        token_hash=_hash(token), expires_at=Now() + LIFETIMES[LinkKind(link.kind)]
    )
    return token


def find_link(kind: LinkKind, token: str) -> SubjectLink:
    """The link of a token, if it still holds, in the open scope. Raises LinkRefused: why, nobody is told."""
    found = _live(kind, token).select_related("request", "package").first() if len(token) <= _LONGEST else None
    if found is None:
        raise LinkRefused
    return found


def use_link(kind: LinkKind, token: str) -> SubjectLink:
    """As find_link, and count the use: of two at once, as many succeed as may. Raises LinkRefused."""
    link = find_link(kind, token)
    if not _live(kind, token).filter(pk=link.pk).update(uses=F("uses") + 1):
        raise LinkRefused
    return link


def _live(kind: LinkKind, token: str) -> "QuerySet[SubjectLink]":
    return SubjectLink.objects.filter(kind=kind, token_hash=_hash(token), expires_at__gt=Now(), uses__lt=USES[kind])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()

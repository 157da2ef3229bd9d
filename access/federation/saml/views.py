"""Signing in and out at a SAML provider, in the browser: there, and back."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from access.federation.saml.handover import finish_step
from access.federation.saml.messages import service_metadata
from access.federation.saml.peers import find_peer
from access.federation.saml.sign_on import begin_sign_on, consume_response
from access.federation.saml.sign_out import receive_sign_out

METADATA_TYPE = "application/samlmetadata+xml"


@require_GET
def begin(request: HttpRequest, organization: str, provider: str) -> HttpResponse:
    """Send the browser to the provider."""
    wanted, act = request.GET.get("next", "")[:1000], request.GET.get("act", "")
    return begin_sign_on(request, organization, provider, wanted=wanted, act=act)


@csrf_exempt  # the provider's page posts here; what it posts proves itself, or is refused
@require_POST
def consume(request: HttpRequest, organization: str, provider: str) -> HttpResponse:
    """Take the browser back with what the provider says."""
    return consume_response(request, organization, provider)


@require_GET
def finish(request: HttpRequest, organization: str, provider: str) -> HttpResponse:
    """Take up what was proved for somebody who is signed in, now that their session's cookie comes along."""
    return finish_step(request, organization, provider)


@csrf_exempt  # as above
@require_http_methods(["GET", "POST"])
def sign_out(request: HttpRequest, organization: str, provider: str) -> HttpResponse:
    """What the provider wants to be over, or says to be over."""
    address = receive_sign_out(request, organization, provider)
    return HttpResponseRedirect(address or reverse("admin:login"))


@require_GET
def metadata(request: HttpRequest, organization: str, provider: str) -> HttpResponse:
    """The vault's metadata for the provider, whether or not it is switched on yet."""
    peer = find_peer(request, organization, provider)
    response = HttpResponse(service_metadata(peer.here, peer.keys.published), content_type=METADATA_TYPE)
    response["Content-Disposition"] = f'inline; filename="vault-{peer.connection.slug}.xml"'
    return response

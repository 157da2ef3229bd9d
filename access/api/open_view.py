"""The base of endpoints that ask for no credential: they are how one comes by it, or public."""

from rest_framework.authentication import BaseAuthentication

from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, Principal


class OpenAPIView(VaultAPIView):
    """Runs outside any scope; the method opens one of the tenant that the request names. What is refused before that
    is recorded under the platform.
    """

    authentication_classes: list[type[BaseAuthentication]] = []
    scope_per_request = False

    @property
    def principal(self) -> Principal:
        return Principal.nobody(PLATFORM_TENANT_ID)

"""How the rest of the code reports what happened."""

from vaultsite.kernel.events.event import Event, Recorded
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import current_scope


def emit(event: Event, *, primary: bool = False, lasting: bool = False) -> None:
    """Put ``event`` into the open scope; it is stored when, and only if, the scope's transaction commits.

    ``primary`` marks the scope's decision event, which is recorded with its outcome even when the scope fails; a
    ``lasting`` one is then recorded beside it, as it is. Raises NoTenantScope outside a scope.
    """
    scope = current_scope()
    recorded = Recorded(event=event, tenant_id=scope.tenant_id, principal=scope.principal, request=scope.request)
    scope.events.add(recorded, primary=primary)
    if lasting:
        scope.events.lasting.append(recorded)


def emit_as_vault(event: Event) -> None:
    """Put what the vault noticed by itself into the open scope, whoever's it is: the vault is its actor.

    Of the request only its id is kept. Raises NoTenantScope outside a scope.
    """
    scope = current_scope()
    request = RequestFacts(request_id=scope.request.request_id)
    vault = Principal.system(scope.tenant_id)
    scope.events.add(Recorded(event=event, tenant_id=scope.tenant_id, principal=vault, request=request), primary=False)

"""SCIM 2.0: people and groups as a directory sees and changes them (RFC 7644)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Resource

from access.api.scim_view import ScimView
from access.scim.documents import patch, read_resource, replacement
from access.scim.errors import InvalidSyntax, NotServed, ResourceNotFound
from access.scim.member_patch import read_member_patch
from access.scim.queries import Page, Query, read_parameters, read_query
from access.scim.rendering import group_resource, shows, user_resource
from access.scim.resources import PROVIDER, FullUser, Group
from access.services import directory, directory_groups, directory_users
from vaultsite.kernel.errors import UnknownPath

_LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


@dataclass(frozen=True)
class Kind:
    """What the endpoints of one resource type do."""

    model: type[Resource[Any]]
    render: Callable[..., Resource[Any]]
    find: Callable[..., Page[Any]]
    get: Callable[..., Any]
    provision: Callable[..., Any]
    change: Callable[..., Any]
    remove: Callable[..., None]
    #: The member that services name the resource by.
    named: str
    #: Whether a PATCH is answered by 204: a group's answer would name all its members.
    is_terse: bool = False


def _find_users(query: Query, parameters: Any) -> Page[Any]:  # noqa: ARG001 - the table's signature
    return directory.find_users(query)


def _find_groups(query: Query, parameters: Any) -> Page[Any]:
    return directory.find_groups(query, with_members=shows(parameters, "members"))


def _get_user(principal: Any, parameters: Any, *, user_id: UUID) -> Any:  # noqa: ARG001 - the table's signature
    return directory.get_user(principal, user_id=user_id)


def _get_group(principal: Any, parameters: Any, *, group_id: UUID) -> Any:
    return directory.get_group(principal, group_id=group_id, with_members=shows(parameters, "members"))


USER: Final = Kind(
    FullUser,
    user_resource,
    _find_users,
    _get_user,
    directory_users.provision_user,
    directory_users.change_user,
    directory_users.remove_user,
    "user_id",
)
GROUP: Final = Kind(
    Group,
    group_resource,
    _find_groups,
    _get_group,
    directory_groups.provision_group,
    directory_groups.change_group,
    directory_groups.remove_group,
    "group_id",
    is_terse=True,
)


class ListingView(ScimView):
    """What lists have in common."""

    def listed(self, total: int, start: int, resources: Sequence[Resource[Any]], asked: Mapping[str, Any]) -> Response:
        shown = [self.dump(resource, asked) for resource in resources]
        body = {"schemas": [_LIST], "totalResults": total, "startIndex": start + 1, "itemsPerPage": len(shown)}
        return Response(body | {"Resources": shown})

    def search(self, kind: Kind, asked: Mapping[str, Any]) -> Response:
        directory.allow_reading(self.principal)
        query = read_query(asked)
        found = kind.find(query, read_parameters(asked))
        return self.listed(found.total, query.start, [kind.render(row, base=self.base) for row in found.rows], asked)


class ResourcesView(ListingView):
    """/Users and /Groups."""

    kind: ClassVar[Kind] = USER

    def get(self, request: Request) -> Response:
        return self.search(self.kind, request.query_params)

    def post(self, request: Request) -> Response:
        wanted = read_resource(self.kind.model, request.data)
        made = self.kind.provision(self.principal, wanted=wanted)
        return self.show(self.kind.render(made, base=self.base), status=201)


class ResourceView(ScimView):
    """/Users/<id> and /Groups/<id>."""

    kind: ClassVar[Kind] = USER

    def get(self, request: Request, resource_id: str) -> Response:
        found = self.kind.get(self.principal, read_parameters(request.query_params), **self._named(resource_id))
        return self.show(self.kind.render(found, base=self.base))

    def put(self, request: Request, resource_id: str) -> Response:
        return self.show(self._changed(resource_id, replacement(self.kind.model, request.data)))

    def patch(self, request: Request, resource_id: str) -> Response:
        is_silent = self.kind.is_terse and not request.query_params.get("attributes")
        moved = read_member_patch(request.data) if is_silent else None
        if moved is not None:
            changed = self._moved(resource_id, moved)
        else:
            changed = self._changed(resource_id, patch(self.kind.model, request.data))
        if is_silent:
            return Response(status=204, headers={"ETag": changed.meta.version or ""} if changed.meta else {})
        return self.show(changed)

    def delete(self, _request: Request, resource_id: str) -> Response:
        self.kind.remove(self.principal, precondition=self.precondition, **self._named(resource_id))
        return Response(status=204)

    def _changed(self, resource_id: str, change: Callable[[Any], Any]) -> Resource[Any]:
        named = self._named(resource_id)
        row = self.kind.change(self.principal, change=change, precondition=self.precondition, **named)
        return self.kind.render(row, base=self.base)

    def _moved(self, group_id: str, wanted: Mapping[UUID, bool]) -> Resource[Any]:
        known = self._named(group_id)[self.kind.named]
        row = directory_groups.change_members(
            self.principal, group_id=known, wanted=wanted, precondition=self.precondition
        )
        return self.kind.render(row, base=self.base)

    def _named(self, resource_id: str) -> dict[str, UUID]:
        try:
            return {self.kind.named: UUID(resource_id)}
        except ValueError:
            raise ResourceNotFound from None


class SearchView(ListingView):
    """/Users/.search and /Groups/.search."""

    kind: ClassVar[Kind] = USER

    def post(self, request: Request) -> Response:
        return self.search(self.kind, _search_request(request))


class SearchEverythingView(ListingView):
    """/.search: people and then groups."""

    def post(self, request: Request) -> Response:
        asked = _search_request(request)
        directory.allow_reading(self.principal)
        query, parameters = read_query(asked), read_parameters(asked)
        users, groups = directory.find_everything(query, with_members=shows(parameters, "members"))
        rendered = [
            *(user_resource(row, base=self.base) for row in users.rows),
            *(group_resource(row, base=self.base) for row in groups.rows),
        ]
        return self.listed(users.total + groups.total, query.start, rendered, asked)


class ConfigView(ScimView):
    """/ServiceProviderConfig."""

    def get(self, _request: Request) -> Response:
        directory.allow_reading(self.principal)
        return self.show(_located(PROVIDER.config, f"{self.base}/ServiceProviderConfig"))


class PublishedView(ListingView):
    """/Schemas and /ResourceTypes, and each of theirs."""

    #: The last part of the path.
    published: ClassVar[str] = "Schemas"

    def get(self, request: Request, name: str = "") -> Response:
        directory.allow_reading(self.principal)
        known = PROVIDER.schemas if self.published == "Schemas" else PROVIDER.resource_types
        all_of_them = [_located(one, f"{self.base}/{self.published}/{one.id}") for one in known]
        if not name:
            return self.listed(len(all_of_them), 0, all_of_them, request.query_params)
        found = next((one for one in all_of_them if one.id == name), None)
        if found is None:
            raise ResourceNotFound
        return self.show(found)


class NotServedView(ScimView):
    """/Bulk and /Me."""

    def get(self, _request: Request) -> Response:
        directory.allow_reading(self.principal)
        raise NotServed

    post = put = patch = delete = get


class UnknownPathView(ScimView):
    """Whatever else is asked for, in the shape that directories read."""

    def get(self, _request: Request, rest: str) -> Response:  # noqa: ARG002 - the path's
        directory.allow_reading(self.principal)
        raise UnknownPath

    post = put = patch = delete = get


def _search_request(request: Request) -> Mapping[str, Any]:
    body = request.data
    if not isinstance(body, dict):
        raise InvalidSyntax
    return body


def _located(resource: Any, location: str) -> Resource[Any]:
    """A copy of what is published, with the address it is at."""
    copy = resource.model_copy()
    copy.meta = {"resourceType": type(resource).__name__, "location": location}
    return copy  # type: ignore[no-any-return]

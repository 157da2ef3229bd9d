"""Paths of people, groups and roles."""

from django.urls import path

from access.api import groups, roles, users

urlpatterns = [
    path("users", users.UserListView.as_view(), name="users"),
    path("users/<uuid:user_id>", users.UserView.as_view(), name="user"),
    path("users/<uuid:user_id>/attributes", users.UserAttributesView.as_view(), name="user-attributes"),
    path("users/<uuid:user_id>/deactivate", users.UserDeactivationView.as_view(), name="user-deactivate"),
    path("users/<uuid:user_id>/reactivate", users.UserReactivationView.as_view(), name="user-reactivate"),
    path("groups", groups.GroupListView.as_view(), name="groups"),
    path("groups/<uuid:group_id>", groups.GroupView.as_view(), name="group"),
    path("groups/<uuid:group_id>/members", groups.MemberListView.as_view(), name="group-members"),
    path("groups/<uuid:group_id>/members/<uuid:user_id>", groups.MemberView.as_view(), name="group-member"),
    path("roles", roles.RoleListView.as_view(), name="roles"),
    path("roles/<uuid:role_id>", roles.RoleView.as_view(), name="role"),
    path("role-bindings", roles.BindingListView.as_view(), name="role-bindings"),
    path("role-bindings/<uuid:binding_id>", roles.BindingView.as_view(), name="role-binding"),
    path("delegations", roles.DelegationListView.as_view(), name="delegations"),
    path("delegations/<uuid:delegation_id>", roles.DelegationView.as_view(), name="delegation"),
]

"""What the database's own catalog must say: every table under one heading, and each heading's rules.

``sweep`` returns the violations as sentences that name the object, so that a table nobody thought of fails the suite
the day its migration is written.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import psycopg

from vaultsite.kernel.tenancy.rls import ALL, APP, OWNER, SYSTEM

#: Tables with a tenant of their own: a policy by tenant_id.
TENANT: Final = frozenset(
    {
        "compliance_control_evidence",
        "compliance_probe_result",
        "compliance_probe_run",
        "compliance_report",
        "compliance_backuprun",
        "compliance_restoredrill",
        "compliance_transfer",
        "audit_notification",
        "compliance_consent",
        "compliance_consentkey",
        "compliance_consenttask",
        "compliance_consentwithdrawal",
        "compliance_party",
        "compliance_purposeterms",
        "datasets_consentlink",
        "datasets_processingrestriction",
        "datasets_restrictedkey",
        "datasets_restrictedrecord",
        "audit_notificationsetting",
        "audit_pendingnotice",
        "audit_webhookdelivery",
        "audit_webhookendpoint",
        "access_accesspolicy",
        "access_accesspolicyversion",
        "access_apikey",
        "access_clientcertificate",
        "access_directoryemail",
        "access_directorygroup",
        "access_directoryuser",
        "access_refreshtoken",
        "access_serviceaccount",
        "access_tokenfamily",
        "access_encryptionkey",
        "access_externalidentity",
        "access_federatedsession",
        "access_groupmapping",
        "access_identityprovider",
        "access_spenttoken",
        "access_keydestruction",
        "access_idempotentrequest",
        "access_loginthrottle",
        "access_delegation",
        "access_group",
        "access_groupmembership",
        "access_bulkevaluation",
        "access_bulkquestion",
        "access_policyepoch",
        "access_policyreplay",
        "access_purpose",
        "access_replaydifference",
        "access_role",
        "access_recoverycode",
        "access_rolebinding",
        "access_roleinheritance",
        "access_samlkey",
        "access_samlmetadata",
        "access_securitykey",
        "access_signinpolicy",
        "access_totpdevice",
        "access_user",
        "access_vaultsession",
        "access_accessrequest",
        "access_accessreview",
        "access_breakglass",
        "access_lease",
        "access_requestverdict",
        "access_reviewitem",
        "datasets_datasetgrouppermission",
        "datasets_datasetuserpermission",
        "anonymization_anonymizationpolicy",
        "anonymization_policyattachment",
        "anonymization_policyversion",
        "anonymization_detectioncase",
        "anonymization_fieldentry",
        "anonymization_findingfeedback",
        "anonymization_listentry",
        "anonymization_thresholdentry",
        "anonymization_trustepoch",
        "anonymization_token",
        "anonymization_tokengeneration",
        "anonymization_tokenresealing",
        "anonymization_tokenspace",
        "anonymization_tokenuse",
        "audit_activitywatch",
        "audit_alert",
        "compliance_holdnotice",
        "compliance_holdscope",
        "compliance_legalhold",
        "datasets_heldrecord",
        "datasets_holdmark",
        "datasets_masking",
        "audit_checkpoint",
        "audit_event",
        "audit_leaf",
        "audit_archive_part",
        "audit_month_drop",
        "audit_eventsubscription",
        "audit_outbox",
        "audit_export",
        "audit_rollup_access_hour",
        "audit_rollup_actor_day",
        "audit_rollup_dataset_day",
        "audit_rollup_facet",
        "audit_rollup_hour",
        "audit_rollup_policy_hour",
        "audit_saved_view",
        "audit_brokerdelivery",
        "audit_deadletter",
        "audit_tile",
        "audit_verification",
        "audit_witness_receipt",
        "compliance_correction",
        "compliance_correspondence",
        "compliance_intakeform",
        "compliance_requestmatch",
        "compliance_requestpackage",
        "compliance_subjectlink",
        "compliance_subjectrequest",
        "compliance_breachnotice",
        "compliance_breachnoticetext",
        "compliance_incident",
        "compliance_incidentassessment",
        "compliance_incidententry",
        "compliance_incidentscope",
        "compliance_incidenttask",
        "compliance_recipienttask",
        "compliance_subjecterasure",
        "compliance_subjecterasurepart",
        "compliance_subjectmatch",
        "compliance_subjectsearch",
        "datasets_identifierreturn",
        "datasets_suppressedidentifier",
        "datasets_blob",
        "datasets_branch",
        "datasets_canary",
        "datasets_canaryreader",
        "datasets_chunk",
        "compliance_retentionclock",
        "compliance_retentionevent",
        "compliance_retentionnotice",
        "compliance_retentionpolicy",
        "compliance_retentionrun",
        "compliance_retentionstep",
        "compliance_retentionstorestep",
        "compliance_storeterm",
        "datasets_dataset",
        "datasets_datasetuse",
        "datasets_datasettag",
        "datasets_draft",
        "datasets_erasedrecord",
        "datasets_erasure",
        "datasets_export",
        "datasets_exportschedule",
        "datasets_findingsblob",
        "datasets_garbagecollection",
        "datasets_guaranteedexport",
        "datasets_releaserules",
        "datasets_ingest",
        "datasets_merge",
        "datasets_mergeconflict",
        "datasets_mergerequest",
        "datasets_mergereview",
        "datasets_publication",
        "datasets_quarantinedrecord",
        "datasets_rescan",
        "datasets_scrub",
        "datasets_versionprofile",
        "datasets_versionquarantine",
        "datasets_recordschema",
        "datasets_purge",
        "datasets_quota",
        "datasets_subjectindexentry",
        "datasets_keyrotation",
        "datasets_version",
        "lineage_edges",
        "lineage_nodes",
        "datasets_versiontag",
        "datasets_familymember",
        "privacy_budgets",
        "privacy_budget_shares",
        "privacy_budget_spends",
        "release_families",
        "privacy_releases",
        "privacy_release_segments",
        "release_attestations",
        "records",
    }
)
#: The tenants themselves: each sees its own row, and a login the one whose slug it names.
SELF: Final = frozenset({"access_tenant"})
#: Third-party tables that point at a user: a policy through that user's row.
VIA_USER: Final = frozenset({"django_admin_log"})
#: Third-party tables that know no tenant and are not used: nobody sees a row.
CLOSED: Final = frozenset(
    {"auth_group", "auth_group_permissions", "guardian_groupobjectpermission", "guardian_userobjectpermission"}
)
#: Names of models, permissions and migrations: no tenant data, and nothing the application may change.
GLOBAL: Final = frozenset({"auth_permission", "django_content_type", "django_migrations"})
HEADINGS: Final = (TENANT, SELF, VIA_USER, CLOSED, GLOBAL)

#: The condition of the policy of each heading, as PostgreSQL prints it (white space folded).
CONDITIONS: Final = {
    TENANT: "(tenant_id = ( SELECT vault_tenant() AS vault_tenant))",
    SELF: "((id = ( SELECT vault_tenant() AS vault_tenant)) OR ((slug)::text = ( SELECT "
    "NULLIF(current_setting('vault.tenant_slug'::text, true), ''::text) AS \"nullif\")))",
    VIA_USER: "(EXISTS ( SELECT 1 FROM access_user WHERE ((access_user.id = {table}.user_id) AND "
    "(access_user.tenant_id = ( SELECT vault_tenant() AS vault_tenant)))))",
    CLOSED: "false",
}

#: Indexes of tenant tables that do not start with tenant_id, besides primary keys on an id the server made.
UNLED_INDEXES: Final = {
    "audit_delivery_age": "the removal of old deliveries, as vault_system, works across tenants",
    "audit_notification_age": "the removal of old notifications, as vault_system, works across tenants",
    "audit_notification_mail": "the sending of mails, as vault_system, works across tenants",
    "access_review_due": "the closing of reviews past their deadline, as vault_system, works across tenants",
    "anonymization_token_expiry": "the removal of expired tokens, as vault_system, works across tenants",
    "anonymization_resealing_lease": "the reaper, as vault_system, works across tenants",
    "datasets_masking_lease": "the reaper, as vault_system, works across tenants",
    "datasets_keyrotation_lease": "the reaper, as vault_system, works across tenants",
    "audit_export_lease": "the reaper, as vault_system, works across tenants",
    "audit_export_expiry": "the removal of expired files, as vault_system, works across tenants",
    "audit_outbox_waiting": "the relay, as vault_system, works across tenants",
    "audit_brokerdelivery_refused": "the relay, as vault_system, works across tenants",
    "audit_outbox_done": "the relay, as vault_system, works across tenants",
    "compliance_letter_mail": "the sending of mails, as vault_system, works across tenants",
    "compliance_link_mail": "the sending of mails, as vault_system, works across tenants",
    "compliance_package_expiry": "the removal of expired files, as vault_system, works across tenants",
    "compliance_package_lease": "the reaper, as vault_system, works across tenants",
    "datasets_draft_expiry": "the expiry of drafts, as vault_system, works across tenants",
    "compliance_report_expiry": "the removal of expired files, as vault_system, works across tenants",
    "compliance_report_lease": "the reaper, as vault_system, works across tenants",
    "compliance_retentionrun_lease": "the reaper, as vault_system, works across tenants",
    "datasets_publication_lease": "the reaper, as vault_system, works across tenants",
    "compliance_search_lease": "the reaper, as vault_system, works across tenants",
    "compliance_search_forget": "the forgetting of identifiers, as vault_system, works across tenants",
    "compliance_erasure_lease": "the reaper, as vault_system, works across tenants",
    "datasets_erasure_lease": "the reaper, as vault_system, works across tenants",
    "datasets_gc_lease": "the reaper, as vault_system, works across tenants",
    "guaranteed_export_lease": "the reaper, as vault_system, works across tenants",
    "guaranteed_export_expiry": "the removal of expired files, as vault_system, works across tenants",
    "export_schedule_next": "the planner of scheduled exports, as vault_system, works across tenants",
    "compliance_probe_run_lease": "the reaper, as vault_system, works across tenants",
    "audit_verification_lease": "the reaper, as vault_system, works across tenants",
    "datasets_export_lease": "the reaper, as vault_system, works across tenants",
    "datasets_export_expiry": "the removal of expired files, as vault_system, works across tenants",
    "datasets_purge_lease": "the reaper, as vault_system, works across tenants",
    "datasets_ingest_lease": "the reaper, as vault_system, works across tenants",
    "datasets_merge_lease": "the reaper, as vault_system, works across tenants",
    "datasets_rescan_lease": "the reaper, as vault_system, works across tenants",
    "datasets_scrub_lease": "the reaper, as vault_system, works across tenants",
    "compliance_incident_due": "the watch of clocks, as vault_system, works across tenants",
    "incident_scope_lease": "the reaper, as vault_system, works across tenants",
}
#: Functions that a serving role may call. None is a SECURITY DEFINER.
CALLABLE: Final = frozenset({"vault_tenant()"})

_RELATIONS: Final = """
    SELECT c.relname, c.relkind::text, c.relispartition, c.relrowsecurity AND c.relforcerowsecurity,
           pg_get_userbyid(c.relowner), coalesce('security_invoker=true' = ANY (c.reloptions), false),
           EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     ORDER BY c.relname
"""
_POLICIES: Final = """
    SELECT c.relname, p.polname, p.polcmd = '*' AND p.polpermissive,
           (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(role) END, ' ')
              FROM unnest(p.polroles) AS role),
           regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\\s+', ' ', 'g'),
           regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '\\s+', ' ', 'g')
      FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
"""
_GRANTS: Final = """
    SELECT c.relname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type
      FROM pg_class c, aclexplode(c.relacl) a
     UNION ALL
    SELECT c.relname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, 'column ' || t.attname
      FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
"""
_INDEXES: Final = """
    SELECT t.relname, c.relname, i.indisprimary, m.amname,
           pg_get_indexdef(i.indexrelid, 1, true), format_type(a.atttypid, a.atttypmod)
      FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
      JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
      LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
"""
_FOREIGN_KEYS: Final = """
    SELECT t.relname, k.conname, k.confrelid::regclass::text, k.convalidated,
           (SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = k.conkey[1]),
           (SELECT attname FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = k.confkey[1])
      FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid WHERE k.contype = 'f'
"""
_FUNCTIONS: Final = """
    SELECT p.oid::regprocedure::text, p.prosecdef,
           has_function_privilege(%s, p.oid, 'EXECUTE') OR has_function_privilege(%s, p.oid, 'EXECUTE')
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_ROLES: Final = """
    SELECT r.rolname, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication,
           EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid),
           EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid)
           OR EXISTS (SELECT 1 FROM pg_proc f WHERE f.proowner = r.oid),
           has_database_privilege(r.oid, current_database(), 'CREATE')
           OR has_database_privilege(r.oid, current_database(), 'TEMP')
           OR has_schema_privilege(r.oid, 'public', 'CREATE')
      FROM pg_roles r WHERE r.rolname IN (%s, %s)
"""
_DEFAULT_GRANTS: Final = "SELECT count(*) FROM pg_default_acl"


def sweep(connection: psycopg.Connection) -> list[str]:
    """Every violation in the database of ``connection``, as one sentence each; none in a sound one."""
    catalog = Catalog(connection)
    return [
        *_judge_headings(catalog),
        *_judge_relations(catalog),
        *_judge_functions(connection),
        *_judge_roles(connection),
    ]


class Catalog:
    """What the database says of its relations, by name."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.relations = {row[0]: row[1:] for row in connection.execute(_RELATIONS)}
        self.policies: dict[str, dict[str, tuple[Any, ...]]] = defaultdict(dict)
        for table, name, *policy in connection.execute(_POLICIES):
            self.policies[table][name] = tuple(policy)
        self.grants: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for table, role, command in connection.execute(_GRANTS):
            if role != OWNER:
                self.grants[table].add((role, command))
        self.indexes = _grouped(connection.execute(_INDEXES))
        self.foreign_keys = _grouped(connection.execute(_FOREIGN_KEYS))


def _grouped(rows: Any) -> dict[str, list[tuple[Any, ...]]]:
    groups: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for name, *rest in rows:
        groups[name].append(tuple(rest))
    return groups


def _judge_headings(catalog: Catalog) -> Iterator[str]:
    listed = [table for heading in HEADINGS for table in heading]
    tables = {name for name, (kind, is_partition, *_) in catalog.relations.items() if kind in "rp" and not is_partition}
    yield from (f"{name} is listed twice" for name in set(listed) if listed.count(name) > 1)
    yield from (f"{name} is under no heading" for name in tables - set(listed))
    yield from (f"{name} is listed but does not exist" for name in set(listed) - tables)


def _judge_relations(catalog: Catalog) -> Iterator[str]:
    for name, (kind, is_partition, is_closed, owner, is_invoker, has_tenant) in catalog.relations.items():
        if owner != OWNER:
            yield f"{name} belongs to {owner}"
        if kind in "mf":
            yield f"{name} is a materialized view or a foreign table: row-level security does not reach it"
        elif kind == "v":
            if not is_invoker:
                yield f"{name} is a view without security_invoker"
        elif kind == "S":
            yield from _judge_grants(name, catalog.grants[name], allowed=set())
        elif is_partition:
            yield from _judge_partition(catalog, name, is_closed=is_closed)
        elif name in GLOBAL:
            yield from _judge_grants(name, catalog.grants[name], allowed={(APP, "SELECT")})
        else:
            yield from _judge_table(catalog, name, is_closed=is_closed, has_tenant=has_tenant)


def _judge_table(catalog: Catalog, name: str, *, is_closed: bool, has_tenant: bool) -> Iterator[str]:
    heading = next((heading for heading in HEADINGS if name in heading), TENANT if has_tenant else CLOSED)
    if has_tenant is not (heading is TENANT):
        yield f"{name} is under the wrong heading"
    if not is_closed:
        yield f"{name} has no forced row-level security"
    policies = catalog.policies[name]
    yield from _judge_policies(name, policies, CONDITIONS[heading].format(table=name))
    roles = (APP, SYSTEM) if "system" in policies else (APP,)
    yield from _judge_grants(name, catalog.grants[name], allowed={(role, command) for role in roles for command in ALL})
    if heading is TENANT:
        yield from _judge_indexes(name, catalog.indexes[name])
        yield from _judge_foreign_keys(name, catalog.foreign_keys[name])


def _judge_policies(name: str, policies: dict[str, tuple[Any, ...]], condition: str) -> Iterator[str]:
    wanted = {"tenant": (True, APP, condition, condition), "owner": (True, OWNER, "true", "true")}
    if "system" in policies:
        wanted["system"] = (True, SYSTEM, "true", "true")
    for policy in sorted(set(wanted) | set(policies)):
        if policies.get(policy) != wanted.get(policy):
            yield f"{name} has a missing, unknown or wrong policy {policy}: {policies.get(policy)}"


def _judge_grants(name: str, grants: set[tuple[str, str]], *, allowed: set[tuple[str, str]]) -> Iterator[str]:
    yield from (f"{name} grants {command} to {role}" for role, command in sorted(grants - allowed))


def _judge_partition(catalog: Catalog, name: str, *, is_closed: bool) -> Iterator[str]:
    """A partition is reached through its parent alone: addressed by its own name, it shows nothing to anybody."""
    if not is_closed:
        yield f"{name}, a partition, has no forced row-level security"
    if catalog.policies[name] != {"owner": (True, OWNER, "true", "true")}:
        yield f"{name}, a partition, has other policies than its owner's: {sorted(catalog.policies[name])}"
    yield from _judge_grants(name, catalog.grants[name], allowed=set())


def _judge_indexes(name: str, indexes: list[tuple[Any, ...]]) -> Iterator[str]:
    for index, is_primary, method, first, kind in indexes:
        is_server_made = is_primary and first == "id" and kind in ("uuid", "bigint")
        if first != "tenant_id" and not is_server_made and index not in UNLED_INDEXES:
            yield f"{index} of {name} starts with {first}"
        if method != "btree":
            yield f"{index} of {name} is a {method} index, which row-level security makes useless"


def _judge_foreign_keys(name: str, keys: list[tuple[Any, ...]]) -> Iterator[str]:
    for key, target, is_valid, first, first_target in keys:
        if not is_valid:
            yield f"{key} of {name} was never checked"
        if target in TENANT and not (first == first_target == "tenant_id"):
            yield f"{key} of {name} may point at another tenant's {target}"


def _judge_functions(connection: psycopg.Connection) -> Iterator[str]:
    for function, is_definer, is_callable in connection.execute(_FUNCTIONS, [APP, SYSTEM]):
        if is_definer:
            yield f"{function} runs with its owner's rights"
        if is_callable and function not in CALLABLE:
            yield f"{function} may be called by a serving role"


def _judge_roles(connection: psycopg.Connection) -> Iterator[str]:
    roles = connection.execute(_ROLES, [APP, SYSTEM]).fetchall()
    yield from (f"{role} does not exist" for role in {APP, SYSTEM} - {row[0] for row in roles})
    for role, is_mighty, is_member, owns, creates in roles:
        if is_mighty:
            yield f"{role} is superuser, or bypasses row-level security, or may make roles or databases"
        if is_member:
            yield f"{role} is a member of another role"
        if owns:
            yield f"{role} owns relations or functions"
        if creates:
            yield f"{role} may create objects"
    if connection.execute(_DEFAULT_GRANTS).fetchone() != (0,):
        yield "default privileges grant rights on tables that do not exist yet"

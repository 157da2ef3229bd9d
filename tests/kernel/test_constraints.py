"""Rules of tenant models and the keys between them."""

import pytest
from django.apps.registry import Apps
from django.db import connections, models

from datasets.models import Branch, Dataset
from vaultsite.kernel.tenancy import checks
from vaultsite.kernel.tenancy.checks import check_tenant_models
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey, installed_tenant_models
from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.rls import RowLevelSecurity


def test_the_installed_models_pass():
    assert check_tenant_models() == []
    assert {model._meta.db_table for model in installed_tenant_models()} >= {"datasets_dataset", "audit_event"}


def test_a_model_that_loses_its_policy_is_refused(monkeypatch):
    class Bare(TenantModel):
        class Meta:
            app_label = "datasets"
            apps = Apps()

    assert problems_of(monkeypatch, Bare) == ["vault.E001"]


def test_a_relation_without_its_composite_key_is_refused(monkeypatch):
    class Loose(TenantModel):
        dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)

        class Meta(TenantModel.Meta):
            app_label = "datasets"
            apps = Apps()

    assert problems_of(monkeypatch, Loose) == ["vault.E002"]


def test_a_whole_model_is_accepted(monkeypatch):
    class Whole(TenantModel):
        dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)

        class Meta(TenantModel.Meta):
            app_label = "datasets"
            apps = Apps()
            constraints = [
                *TenantModel.Meta.constraints,
                CompositeForeignKey(name="whole_dataset_fk", field="dataset", to="datasets.Dataset"),
            ]

    assert problems_of(monkeypatch, Whole) == []


def problems_of(monkeypatch, model):
    """What the check says when ``model`` is the one that is installed."""
    monkeypatch.setattr(checks, "installed_tenant_models", lambda: [model])
    return [problem.id for problem in check_tenant_models()]


def test_a_tenant_model_names_its_policy_after_itself():
    names = {constraint.name for constraint in Dataset._meta.constraints if isinstance(constraint, RowLevelSecurity)}
    assert names == {"datasets_dataset_rls"}


def test_a_relation_leaves_the_promise_to_the_database_key():
    field = Branch._meta.get_field("head")
    assert isinstance(field, TenantForeignKey)
    assert (field.db_constraint, field.db_index) == (False, False)


def test_the_composite_key_starts_with_the_tenant():
    key = CompositeForeignKey(name="k", field="head", to="datasets.Version", on_delete="CASCADE")
    with connections["owner"].schema_editor(collect_sql=True) as editor:
        statement = str(key.create_sql(Branch, editor))
    assert 'FOREIGN KEY (tenant_id, "head_id") REFERENCES "datasets_version" (tenant_id, id)' in statement
    assert statement.endswith("ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED")


@pytest.mark.parametrize("action", ["SET NULL", "cascade", "RESTRICT; DROP TABLE x"])
def test_the_composite_key_knows_two_actions(action):
    with pytest.raises(ValueError, match="unknown action"):
        CompositeForeignKey(name="k", field="head", to="datasets.Version", on_delete=action)


@pytest.mark.parametrize("changed", [{}, {"on_delete": "CASCADE"}])
def test_a_migration_can_write_the_key_down_and_read_it_back(changed):
    original = CompositeForeignKey(name="k", field="head", to="datasets.Version", **changed)
    _, args, kwargs = original.deconstruct()
    assert CompositeForeignKey(*args, **kwargs) == original
    assert (CompositeForeignKey(name="k", field="head", to="datasets.Version") == original) is not bool(changed)

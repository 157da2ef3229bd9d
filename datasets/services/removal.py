"""Every row that belongs to a dataset, table by table, children before their parents, in batches."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import models

from datasets.models import Dataset, Version
from vaultsite.kernel.tenancy.scope import active_alias

BATCH: Final = 1000
_Table = tuple[type[models.Model], str]
#: Where rows of one table point at each other: which go first.
_ORDER: Final[dict[type[models.Model], str]] = {Version: "-sequence"}


@cache
def tables_of_a_dataset() -> tuple[_Table, ...]:
    """The tables whose rows go with their dataset, each with the lookup that leads there; children first."""
    found: dict[type[models.Model], str] = {}
    ahead: list[_Table] = [(Dataset, "")]
    for target, path in ahead:
        for model in apps.get_models():
            names = [field.name for field in _keeping_keys(model) if field.related_model is target]
            if names and model not in found and model is not Dataset:
                found[model] = f"{names[0]}__{path}" if path else names[0]
                ahead.append((model, found[model]))
    return tuple(_children_first(found))


def remove_batch(model: type[models.Model], path: str, dataset_id: UUID) -> int:
    """Delete at most BATCH rows of a table, in the open scope; what points at them and may stay lets go of them."""
    rows = model._default_manager.filter(**{path: dataset_id})  # noqa: SLF001 - the public alias of a model's manager
    rows = rows.order_by(_ORDER[model]) if model in _ORDER else rows.order_by()
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    if keys:
        for field in _loose_keys(model):
            pointing = field.model._default_manager.filter(**{f"{field.name}__in": keys})  # noqa: SLF001
            pointing.update(**{field.name: None})
        gone: Any = model._default_manager.filter(pk__in=keys)  # noqa: SLF001
        gone._raw_delete(active_alias())  # noqa: SLF001 - delete() would load every row that points here
    return len(keys)


def _children_first(found: dict[type[models.Model], str]) -> Iterator[_Table]:
    left = dict(found)
    while left:
        keys = ((model, field) for model in left for field in _keeping_keys(model))
        needed = {field.related_model for model, field in keys if field.related_model is not model}
        free = [model for model in left if model not in needed] or list(left)
        for model in free:
            yield model, left.pop(model)


def _keeping_keys(model: type[models.Model]) -> list["models.ForeignKey[Any, Any]"]:
    """The foreign keys without whose target a row cannot be."""
    return [field for field in _keys(model) if field.remote_field.on_delete is not models.SET_NULL]


def _loose_keys(target: type[models.Model]) -> list["models.ForeignKey[Any, Any]"]:
    """The foreign keys to a table that can be emptied."""
    keys = [field for model in apps.get_models() for field in _keys(model) if field.related_model is target]
    return [field for field in keys if field.remote_field.on_delete is models.SET_NULL]


def _keys(model: type[models.Model]) -> list["models.ForeignKey[Any, Any]"]:
    return [field for field in model._meta.fields if isinstance(field, models.ForeignKey)]  # noqa: SLF001

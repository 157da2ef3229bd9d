"""REST: statistics about the people of a version under differential privacy, and what is left of the budget."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from anonymization.api.budget import BudgetOutput, budget_shown
from anonymization.privacy.errors import InvalidStatistics
from anonymization.services.budget import state_of
from datasets.api.views import PURPOSE
from datasets.models.version import DEFAULT_BRANCH
from datasets.selectors import get_dataset
from datasets.services.statistics.ask import answer, open_statistics, release
from datasets.services.statistics.budget import read_budget
from datasets.services.statistics.request import MAX_CONTRIBUTIONS, Kind, parse_request
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem


class StatisticsQueryInput(serializers.Serializer[Any]):
    """One query. Bounds, keys and edges are declared, never taken from the data; epsilon and delta are spent.

    Numbers may be decimal texts. ``count`` takes a field or none; ``sum``, ``mean`` and ``quantile`` need ``bounds``;
    a ``histogram`` has ``keys`` or rising ``edges``, or else a ``delta``: then keys that enough records have are told.
    """

    type = serializers.ChoiceField(choices=[str(kind) for kind in Kind])
    field = serializers.CharField(required=False, allow_null=True)
    epsilon = serializers.CharField()
    delta = serializers.CharField(required=False, allow_null=True)
    bounds = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2, required=False)
    resolution = serializers.CharField(required=False, allow_null=True)
    keys = serializers.ListField(child=serializers.JSONField(), required=False)
    edges = serializers.ListField(child=serializers.CharField(), required=False)
    quantile = serializers.CharField(required=False, allow_null=True)
    contributions = serializers.IntegerField(min_value=1, max_value=MAX_CONTRIBUTIONS, required=False)
    name = serializers.CharField(max_length=64, required=False, allow_null=True)


class StatisticsInput(serializers.Serializer[Any]):
    """``subject`` is the path to whom a record is about; ``contributions``: how many records of one count at most."""

    version = serializers.CharField(max_length=100, required=False, default=DEFAULT_BRANCH)
    purpose = serializers.CharField(max_length=64, required=False, default=None, allow_null=True)
    subject = serializers.CharField(max_length=500)
    filter = serializers.JSONField(required=False, default=None, allow_null=True)
    contributions = serializers.IntegerField(min_value=1, max_value=MAX_CONTRIBUTIONS, required=False, default=1)
    queries = StatisticsQueryInput(many=True)


class StatisticsResultOutput(serializers.Serializer[Any]):
    """``value``, or ``bins`` with values; each lies within ``margin`` of what was added up at this ``confidence``."""

    name = serializers.CharField()
    type = serializers.CharField()
    value = serializers.FloatField(required=False)
    bins = serializers.ListField(child=serializers.JSONField(), required=False)
    margin = serializers.FloatField(required=False)
    rank_margin = serializers.FloatField(required=False)
    confidence = serializers.FloatField()
    epsilon = serializers.CharField()
    delta = serializers.CharField()


class PrivacyOutput(serializers.Serializer[Any]):
    epsilon = serializers.CharField()
    delta = serializers.CharField()
    neighbours = serializers.CharField()
    composition = serializers.CharField()
    noise = serializers.CharField()


class StatisticsOutput(serializers.Serializer[Any]):
    """``is_repeated``: the answer given to the same queries before, at no cost."""

    version = serializers.CharField()
    results = StatisticsResultOutput(many=True)
    privacy = PrivacyOutput()
    is_repeated = serializers.BooleanField()
    budget = BudgetOutput()


class DatasetBudgetOutput(BudgetOutput):
    """The budget of the dataset's family; ``datasets`` are those of the family that the reader may know of."""

    datasets = serializers.ListField(child=serializers.UUIDField())


class StatisticsView(VaultAPIView):
    """Opens its scopes itself: records are read, and noise is drawn, outside of them."""

    resource_type = "dataset"
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE], request=StatisticsInput, responses=StatisticsOutput)
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Counts, sums, means, histograms and quantiles with noise. The cost is spent first and stays spent.

        The same queries over the same content are answered as before, at no cost.
        """
        with self.open_scope():
            get_dataset(self.principal, dataset_id, action="statistics.query")
            given = _members(request.data)
            asked = open_statistics(
                self.principal,
                dataset_id=dataset_id,
                version=given["version"],
                request=parse_request(
                    subject=given["subject"],
                    queries=given["queries"],
                    filter_=given["filter"],
                    contributions=given["contributions"],
                ),
                purpose=given["purpose"],
            )
        content = answer(asked)
        with self.silent_scope():
            found = release(asked, content)
            left = budget_shown(state_of(asked.family_id, self.principal.id))
        return Response(found.content | {"is_repeated": found.is_repeated, "budget": left})


class DatasetBudgetView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=DatasetBudgetOutput)
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """What the dataset's family has left to everybody, and to the caller."""
        found = read_budget(self.principal, dataset_id=dataset_id)
        return Response(budget_shown(found.state) | {"datasets": [str(pk) for pk in found.datasets]})


def _members(content: Any) -> dict[str, Any]:
    """The members of a request; what the queries hold is parsed, and refused, with their pointers."""
    known = {"version": DEFAULT_BRANCH, "purpose": None, "subject": None, "filter": None, "contributions": 1}
    if not isinstance(content, dict) or not content.keys() <= known.keys() | {"queries"}:
        rule = f"an object with some of {', '.join([*known, 'queries'])}"
        raise InvalidStatistics(rule, errors=[FieldProblem(field="/", detail=rule)])
    given = known | {"queries": None} | content
    for name, longest in (("version", 100), ("purpose", 64)):
        value = given[name]
        if not (name == "purpose" and value is None) and not (isinstance(value, str) and 0 < len(value) <= longest):
            rule = f"a text of at most {longest} characters"
            raise InvalidStatistics(rule, errors=[FieldProblem(field=f"/{name}", detail=rule)])
    return given

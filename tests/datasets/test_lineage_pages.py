"""The lineage picture and the inventory in front of a browser."""

import re
from uuid import uuid4

import pytest

from datasets.lineage_graph import walk
from datasets.lineage_picture import BOX_WIDTH, draw
from datasets.models import EdgeKind, LineageNode, NodeType
from datasets.services.lineage import LineageEnd, record_edge
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant, name="chats")
    upload(tenant, dataset, jsonl(rows_of(10)))
    upload(tenant, dataset, jsonl(rows_of(10, seed=1)))
    return dataset


def page(client, dataset, query=""):
    return client.get(f"/admin/datasets/dataset/{dataset.pk}/lineage/{query}")


def test_the_picture_and_the_table_say_the_same(tenant, dataset):
    text = page(browser_of(tenant, "auditor"), dataset).content.decode()
    assert text.count('class="v-lineage-edge"') == 1
    assert "chats v1.0.0" in text
    assert "chats v1.1.0" in text
    assert re.search(r"<td>derived from</td>", text)
    assert "Report a model" not in text


def test_a_steward_reports_a_model_and_sees_it(tenant, dataset):
    client = browser_of(tenant, "data_steward")
    form = {"kind": "trained", "type": "model", "namespace": "registry", "name": "bot-7", "way": "target"}
    answer, _ = opened(
        client, f"/admin/datasets/dataset/{dataset.pk}/lineage/", form | {"version": "v1.1.0"}, method="post"
    )
    assert answer.status_code == 302
    text = client.get(answer["Location"]).content.decode()
    assert "bot-7" in text
    assert "<td>reported</td>" in text


@pytest.mark.parametrize("change", [{"name": ""}, {"kind": "stolen"}, {"type": "version"}, {"namespace": "x" * 201}])
def test_a_report_with_a_mistake_says_which(tenant, dataset, change):
    client = browser_of(tenant, "data_steward")
    form = {"kind": "trained", "type": "model", "namespace": "registry", "name": "bot", "version": "main"} | change
    answer, _ = opened(client, f"/admin/datasets/dataset/{dataset.pk}/lineage/", form, method="post")
    assert answer.status_code == 400


def test_a_dataset_without_versions_says_how_it_begins(tenant):
    text = page(browser_of(tenant, "auditor"), make_dataset(tenant)).content.decode()
    assert "its lineage begins" in text


def test_long_and_hostile_names_stay_text(tenant, dataset):
    name = "<script>alert(1)</script>" + "y" * 150
    with acting(tenant):
        version = LineageEnd.of_version(dataset.versions.get(label="v1.1.0"))
        record_edge(kind=EdgeKind.TRAINED, source=version, target=LineageEnd(NodeType.MODEL, name, namespace="m"))
    text = page(browser_of(tenant, "auditor"), dataset).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_another_tenants_lineage_is_not_there(rival, dataset):
    client = browser_of(rival, "data_steward")
    assert page(client, dataset).status_code == 404
    assert client.get(f"/admin/datasets/dataset/{uuid4()}/lineage/").status_code == 404


def test_no_two_boxes_lie_on_each_other_and_arrows_lead_to_the_right(tenant):
    with acting(tenant):
        for above, below in ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4), (5, 4)):
            ends = [LineageEnd(NodeType.SOURCE, f"n{number}", namespace="t") for number in (above, below)]
            record_edge(kind=EdgeKind.DERIVED_FROM, source=ends[0], target=ends[1])
        graph = walk(LineageNode.objects.get(name="n4").pk, direction="both", depth=9)
        picture = draw(graph, {pk: (node.name, "", "") for pk, node in graph.nodes.items()})
    assert len({(box.x, box.y) for box in picture.boxes}) == len(picture.boxes) == 6
    assert all(arrow.source.x < arrow.target.x for arrow in picture.arrows)
    assert all(box.x + BOX_WIDTH <= picture.width for box in picture.boxes)


def test_the_inventory_shows_and_downloads(tenant, dataset):
    read_all(tenant, dataset)
    client = browser_of(tenant, "privacy_officer")
    text = client.get("/admin/datasets/dataset/inventory/").content.decode()
    assert "chats" in text
    assert "evaluation" in text
    assert "No dataset holds" in client.get("/admin/datasets/dataset/inventory/?type=IBAN_CODE").content.decode()
    answer = client.get("/admin/datasets/dataset/inventory/?format=csv")
    assert b"EMAIL_ADDRESS" in answer.content
    assert client.get("/admin/datasets/dataset/inventory/?after=x").status_code == 200


def test_an_empty_inventory_says_so(tenant):
    text = browser_of(tenant, "privacy_officer").get("/admin/datasets/dataset/inventory/").content.decode()
    assert "There are no datasets yet" in text

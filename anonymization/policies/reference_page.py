"""The reference page of policies: operators by strictness, presets, and the schema, as the code knows them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from anonymization.operators.base import Operator
from anonymization.operators.registry import OPERATORS, get_operator
from anonymization.policies.presets import PRESETS, SAFE_HARBOR
from anonymization.policies.schema import KEEP, policy_schema


def render_policies(generated: str) -> Iterator[str]:
    """The lines of the page; ``generated`` is the remark that it is written by machine."""
    yield from ("# Anonymization policies", "", generated, "")
    yield from (
        "What is done to personal data, as data. [The guide](../how-to/anonymization-policies.md) shows how to make",
        "one.",
        "",
        "## Strategies, least strict first",
        "",
        "Of all that applies to one piece of personal data (the role's own operator, every policy that binds, what the",
        "schema declares for the field) the strictest counts. Two of one rank with other parameters reveal different",
        "things: then the piece is redacted.",
        "",
        "| rank | strategy | reversible | what it does |",
        "| --- | --- | --- | --- |",
        f"| - | `{KEEP}` | | Left as it is, unless something else applies. |",
    )
    known = sorted((get_operator(name) for name in OPERATORS), key=lambda operator: operator.rank)
    for one in known:
        yield f"| {one.rank} | `{one.name}` | {'yes' if one.is_reversible else ''} | {one.description} |"
    yield from (
        "",
        "`truncate` to a day or an hour ranks 210 or 200, below a mask: that is most of a date. A `mask` ranks 300",
        "less the characters it shows.",
        "",
        "## Parameters",
    )
    for one in known:
        if one.parameters:
            yield from _parameters(one)
    yield from ("", "## Presets", "")
    for name, preset in PRESETS.items():
        yield f"- **{preset.title}**, `preset:{name}`: {preset.document['description']} Follows {preset.source}."
        yield f"  {preset.caveat}"
    yield from ("", "Safe Harbor's identifiers and the kinds of findings that are one:", "")
    yield from (f"- {name}: {', '.join(kinds)}" for name, kinds in SAFE_HARBOR.items())
    yield from ("", "## Schema", "", "```json", json.dumps(policy_schema(), indent=2), "```")


def _parameters(operator: Operator) -> Iterator[str]:
    yield from (
        "",
        f"### {operator.name}",
        "",
        "| parameter | values | default | meaning |",
        "| --- | --- | --- | --- |",
    )
    for name, schema in operator.parameters.items():
        default = json.dumps(schema["default"]) if "default" in schema else ""
        yield f"| `{name}` | {_values(schema)} | {default} | {schema['description']} |"


def _values(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([str(schema["type"]), *bounds])

"""OpenLineage run events (spec 2-0-2): what the vault says of its versions, and what pipelines report of theirs."""

"""A message that somebody sends to see whether an endpoint answers."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

#: The type of such a message; no event of the vault has it.
TEST_TYPE: Final = "webhook.test"


def trial_envelope(tenant_id: UUID, endpoint_id: UUID, message_id: UUID) -> dict[str, Any]:
    """CloudEvents like any other message, about the endpoint itself."""
    return {
        "specversion": "1.0",
        "id": str(message_id),
        "source": f"urn:llm-data-vault:tenant:{tenant_id}",
        "type": TEST_TYPE,
        "time": datetime.now(UTC).isoformat(),
        "subject": f"webhook/{endpoint_id}",
        "datacontenttype": "application/json",
        "data": {"message": "This endpoint is reached by LLM Data Vault."},
    }

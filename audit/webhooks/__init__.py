"""Events told to receivers over HTTP: Standard Webhooks."""

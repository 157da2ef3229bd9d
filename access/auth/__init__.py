"""How somebody proves who they are: passwords, sessions, API keys."""

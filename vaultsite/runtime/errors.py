"""What can keep the vault from starting, said so that an operator can act on it."""


class StartError(Exception):
    """The vault or one of its servers cannot start; the message is the whole explanation, without a traceback."""

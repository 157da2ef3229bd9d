"""Makes the shipped model from generated and openly licensed text: ``python -m anonymization.names.training``."""

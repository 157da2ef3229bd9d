"""The upkeep of what is stored: collecting what no version reaches, packing the rest closer, verifying all of it."""

"""Keys, sealing and envelopes: the only place that touches cryptographic primitives."""

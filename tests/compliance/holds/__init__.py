"""Legal holds: nothing that deletes takes what they keep."""

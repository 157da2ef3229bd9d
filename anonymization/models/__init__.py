"""Tables of policies, tokens, privacy budgets, releases and the trust put in detectors."""

"""Events: what happened, buffered per scope, stored with it or not at all."""

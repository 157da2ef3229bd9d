"""Who does what they never did: the hours of each principal against its own habits."""

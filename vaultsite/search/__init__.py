"""One box that finds things of every kind by how their names begin, or by their ids."""

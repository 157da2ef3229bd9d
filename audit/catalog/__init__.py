"""The catalogue of events: topics, other names, schemas, and the shapes in which events leave the vault."""

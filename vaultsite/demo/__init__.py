"""Demo tenants with people and sample data, and the report of one run of the main job."""

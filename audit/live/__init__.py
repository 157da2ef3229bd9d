"""What one socket of the live feed wants, may see, has missed and has waiting."""

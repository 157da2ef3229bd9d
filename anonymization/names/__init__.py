"""Names of people, places and organizations, and the dates, ages and nationalities beside them."""

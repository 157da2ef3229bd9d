"""Taking, restoring and trying backups: what needs the programs and the servers of the database."""

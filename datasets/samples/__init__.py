"""Sample data of our own making: the files, the templates they come from, and their generator."""

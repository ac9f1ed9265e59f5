"""The search functions of the database, as they are now; a file is applied again whenever it says something else."""

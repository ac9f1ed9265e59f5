"""The bundled PostgreSQL: found, started, shared and stopped."""

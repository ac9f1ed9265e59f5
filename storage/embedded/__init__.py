"""The bundled PostgreSQL: found, started, shared and stopped."""

from .server import Description, EmbeddedConfig, EmbeddedServer, Endpoint, describe, stop

__all__ = ["Description", "EmbeddedConfig", "EmbeddedServer", "Endpoint", "describe", "stop"]

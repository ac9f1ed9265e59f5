"""The bundled PostgreSQL: found, started, shared and stopped."""

from .config import Description, EmbeddedConfig, Endpoint
from .control import describe, stop
from .server import EmbeddedServer

__all__ = ["Description", "EmbeddedConfig", "EmbeddedServer", "Endpoint", "describe", "stop"]

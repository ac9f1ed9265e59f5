"""The memory as commands use it: opened for one command, closed after it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ...tools.access import Session
from ..app import Application
from ..logs import configure_logging
from ..settings import Settings

CLIENT = "command line"


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncGenerator[Session, None]:
    """Open the memory."""
    configure_logging(settings.log_level)
    async with Application(settings) as application:
        yield await application.session(CLIENT)

"""The command `serve`: an MCP server over stdio or HTTP."""

import argparse

from ..app import Application
from ..logs import configure_logging
from ..settings import Settings


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serve until the client leaves or a signal comes.

    Raises:
        SettingsError: HTTP would be open to others without protection, or the address is taken.
    """
    configure_logging(settings.log_level)
    async with Application(settings) as application:
        if arguments.transport == "stdio":
            from ..mcp_server import build_server
            from ..stdio import serve_stdio

            await serve_stdio(build_server(application, toolset=settings.toolsets, log_level=settings.log_level))
        else:
            from ..http import serve_http

            await serve_http(settings, application)
    return 0

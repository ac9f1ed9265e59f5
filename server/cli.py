"""The command line: what can be asked of it, and how its failures are told."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..core.errors import PalimpsestError
from .commands.slm import add_deeds
from .settings import load_settings

CLIENTS = ("claude-desktop", "claude-code", "cursor", "vscode")
WINDOWS = ("sliding", "summarising")
_DETAILS = ("full", "summary", "brief", "hint")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; each command names the module of ``server.commands`` whose ``run`` does it."""
    parser = argparse.ArgumentParser(
        prog="palimpsest", description="A memory for LLM clients that outgrows the context window and loses nothing."
    )
    parser.add_argument("--version", action="version", version=f"palimpsest {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")

    def add(name: str, module: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(module=module)
        return command

    serve = add("serve", "serve", "Serve MCP clients, over stdin and stdout unless told otherwise.")
    serve.add_argument("--transport", choices=("stdio", "http", "sse"), default="stdio")
    serve.add_argument("--host", help="address to listen on (http, sse); 127.0.0.1 unless set")
    serve.add_argument("--port", type=int, help="port to listen on (http, sse); 8000 unless set")
    serve.add_argument("--toolsets", choices=("default", "all"), help="which tools are listed")

    demo = add("demo", "demo", "Watch a real client hand a code base to a server, search it and get it back.")
    demo.add_argument("--data-dir", dest="demo_dir", help="keep the demo's memory here; a temporary folder unless set")

    add("doctor", "doctor", "Check everything that a server needs, and show the settings.")
    add("migrate", "migrate", "Bring the database to this version's schema.")

    config = add("config", "client_config", "Print the block to paste into a client's configuration.")
    config.add_argument("client", choices=CLIENTS)

    importing = add("import", "importing", "Add files and folders; what is there already is left as it is.")
    importing.add_argument("paths", nargs="+", metavar="PATH")
    importing.add_argument("--thread", help="thread to add to")
    importing.add_argument("--tag", action="append", default=[], help="tag to give; may be repeated")
    importing.add_argument("--untrusted", action="store_true", help="the texts are of others, and may mean to mislead")
    importing.add_argument(
        "--transcripts", action="store_true", help="the files are sessions of Claude Code or Codex, or a turn a line"
    )
    importing.add_argument("--session", help="name of the conversation; the file says it unless set")
    importing.add_argument("--window", choices=WINDOWS, help="how its block makes room; sliding unless set")

    search = add("search", "search", "Search by meaning and by word.")
    search.add_argument("query", nargs="+")
    search.add_argument("--limit", type=int, default=8)
    search.add_argument("--thread")
    search.add_argument("--explain", action="store_true", help="show the parts that each score is made of")

    get = add("get", "get", "Write an item's text to stdout, byte for byte.")
    get.add_argument("item_id")
    get.add_argument("--detail", choices=_DETAILS, default="full")
    get.add_argument("--of-version", type=int, help="an older version")

    inbox = add("inbox", "inbox", "See what agents ask of a person, and answer it: ask by ask at a terminal.")
    inbox.add_argument("action", nargs="?", choices=("answer", "decline", "cancel"))
    inbox.add_argument("request_id", nargs="?", metavar="ID", help="which request")
    inbox.add_argument("value", nargs="*", help="the answer: a choice, a text, or JSON where there is a form")

    undo = add("undo", "undo", "Take back the newest change, or a given one.")
    undo.add_argument("event_id", nargs="?", type=int, help="number of the change, as --list shows it")
    undo.add_argument("--list", action="store_true", help="show the newest changes and undo nothing")
    undo.add_argument("--check", action="store_true", help="say what the state's hash is before and after")

    history = add("history", "history", "Show who did what to which id, newest first.")
    history.add_argument("subject_id", nargs="?", help="only what was done to this item, task, agent or request")
    history.add_argument("--limit", type=int, default=20, help="how many lines; 20 unless set")
    history.add_argument("--hash", action="store_true", help="also say the hash of what the memory now says")

    trust = add("trust", "trust", "Say how far an item may be believed.")
    trust.add_argument("item_id")
    trust.add_argument("level", choices=("low", "normal", "high"))

    purge = add("purge", "purge", "Delete items for good, with all their versions.")
    purge.add_argument("item_ids", nargs="*", metavar="ITEM_ID")
    purge.add_argument("--scrub", action="store_true", help="then take everything that was ever purged off the disk")

    dump = add("dump", "dump", "Write everything that the memory holds to one file.")
    dump.add_argument("file", nargs="?", default="-", metavar="FILE", help="file to make; - or nothing for stdout")
    dump.add_argument("--thread", help="only this thread and what belongs to its items")
    dump.add_argument("--sealed", action="store_true", help="with the ciphertext of what is in quarantine")
    dump.add_argument("--force", action="store_true", help="replace a file that exists")

    load = add("load", "load", "Load a dump, all of it or nothing; what is there already is left as it is.")
    load.add_argument("file", metavar="FILE")
    load.add_argument("--into", metavar="NAMESPACE", help="namespace to load into; this memory's own unless set")
    load.add_argument("--dry-run", action="store_true", help="check the dump, say what would be loaded, load nothing")

    hygiene = add("hygiene", "hygiene", "Shorten, archive and forget what is due, as the background job does.")
    hygiene.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    consolidate = add("consolidate", "consolidate", "Fold what is said twice and merge what belongs together.")
    consolidate.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    consolidate.add_argument("--all", action="store_true", help="look at everything, not only at what changed since")

    facts = add("facts", "facts", "Show what is known as facts, or read them off items.")
    facts.add_argument("--subject", help="only what is known of this person or thing")
    facts.add_argument("--thread", help="only this thread's")
    facts.add_argument("--past", action="store_true", help="also what was so before and is no longer")
    facts.add_argument("--limit", type=int, default=50)
    facts.add_argument("--extract", metavar="ITEM_ID", help="read the facts off this item now")
    facts.add_argument("--all", action="store_true", help="read the facts off every item that tells what happened")
    facts.add_argument(
        "--dry-run", action="store_true", help="with --extract or --all: say what is found, keep nothing"
    )

    worker = add("worker", "worker", "Work what is left for later, until a signal comes.")
    worker.add_argument("--once", action="store_true", help="stop when nothing is due, and say what was done")
    worker.add_argument("--retry-dead", action="store_true", help="first give jobs that failed too often another go")

    tasks = add("tasks", "tasks", "List tasks, or show all about one.")
    tasks.add_argument("task_id", nargs="?")
    tasks.add_argument("--status", help="only of this status; unfinished ones unless set")
    tasks.add_argument("--agent", help="only those that this agent has or is to do")
    tasks.add_argument("--limit", type=int, default=50)

    agents = add("agents", "agents", "List agents, or register one.")
    agents.add_argument("--register", metavar="NAME", help="register an agent, or change what is known of it")
    agents.add_argument("--role")
    agents.add_argument("--capability", action="append", help="what it can do; may be repeated")
    _add_quarantine(add("quarantine", "quarantine", "List, show, release and purge what is sealed; rotate its key."))

    add_deeds(add("slm", "slm", "Serve the small language model, and see how it does."))
    add("stats", "stats", "Show what the memory holds and what serves it.")
    add("stop", "stop", "Stop the bundled PostgreSQL if nobody uses it.")
    return parser


def _add_quarantine(command: argparse.ArgumentParser) -> None:
    deeds = command.add_subparsers(title="deeds", metavar="DEED", dest="deed", required=True)
    listing = deeds.add_parser("list", help="show ids and reasons")
    listing.add_argument("--all", action="store_true", help="also what was released or purged")
    for name, text in (
        ("show", "write a sealed text to stdout; the history keeps why"),
        ("release", "make it an ordinary item"),
        ("purge", "delete it for good; only its outline stays"),
    ):
        deed = deeds.add_parser(name, help=text)
        deed.add_argument("item_id")
        deed.add_argument("--reason", required=True, help="why; it stays in the history")
    rotate = deeds.add_parser("rotate", help="wrap every key under a new master key; run it again if it was cut off")
    rotate.add_argument("--same-key", action="store_true", help="make no new master key, only finish a rotation")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for a failure told in one sentence, 2 for a wrong call."""
    parser = build_parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    try:
        settings = load_settings(
            host=getattr(given, "host", None),
            port=getattr(given, "port", None),
            toolsets=getattr(given, "toolsets", None),
        )
        command: Any = importlib.import_module(f"{__package__}.commands.{given.module}")
        return int(asyncio.run(command.run(settings, given)))
    except PalimpsestError as error:
        print(f"palimpsest: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe such as `| head` has left; that is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0

"""How the bundled server is configured: for one user's machine, durable, silent about what it is asked."""

import os
from collections.abc import Sequence

_MB = 1024 * 1024


def machine_memory_mb() -> int:
    """Return the machine's memory in MB; 4,096 where it cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MB
    except (AttributeError, ValueError, OSError):
        return 4096


def shared_buffers_mb(memory_mb: int) -> int:
    """Return an eighth of the machine's memory, at least 128 MB and at most 1 GB; it is only taken as it is used."""
    return max(128, min(1024, memory_mb // 8))


def options(shared_buffers: int | None = None) -> Sequence[str]:
    """Return the server's ``-c`` arguments; ``shared_buffers`` in MB overrides what fits the machine."""
    memory = machine_memory_mb()
    settings = {
        "shared_buffers": f"{shared_buffers or shared_buffers_mb(memory)}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "maintenance_work_mem": f"{max(64, min(512, memory // 16))}MB",
        "work_mem": "16MB",
        "max_connections": "200",
        "huge_pages": "off",
        "jit": "off",
        # Acknowledged means durable: these are the defaults, and no file in the data directory may weaken them.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_wal_size": "512MB",
        "min_wal_size": "80MB",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "autovacuum_naptime": "30s",
        # What users remember must not reach a log.
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_min_messages": "warning",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_connections": "",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

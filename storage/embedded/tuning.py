"""How the bundled server is configured: for one user's machine, durable, silent about what it is asked."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

_MB = 1024 * 1024
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_SHARED_MEMORY = Path("/dev/shm")


def machine_memory_mb() -> int:
    """Return the memory in MB of the machine, or of the container if that has less; 4,096 where it cannot be asked."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MB
    except (AttributeError, ValueError, OSError):
        total = 4096
    return min([total, *(limit for path in _CGROUP_LIMITS if (limit := _limit_mb(path)))])


def _limit_mb(path: Path) -> int | None:
    try:
        return int(path.read_text()) // _MB
    except (OSError, ValueError):
        # No such file, or "max": no limit.
        return None


def shared_buffers_mb(memory_mb: int) -> int:
    """Return an eighth of the memory, at least 128 MB and at most 4 GB; it is only taken as it is used."""
    return max(128, min(4096, memory_mb // 8))


def options(shared_buffers: int | None = None) -> Sequence[str]:
    """Return the server's ``-c`` arguments; ``shared_buffers`` in MB overrides what fits the machine."""
    memory = machine_memory_mb()
    settings = {
        **_memory(memory, shared_buffers or shared_buffers_mb(memory)),
        **_durability(),
        **_quietness(),
        "max_connections": "200",
        "jit": "off",
        "autovacuum_naptime": "30s",
        # No subscription is ever made: one process less.
        "max_logical_replication_workers": "0",
        # The same everywhere, whatever the user's machine is set to.
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _memory(memory_mb: int, buffers_mb: int) -> dict[str, str]:
    settings = {
        "shared_buffers": f"{buffers_mb}MB",
        "effective_cache_size": f"{max(256, memory_mb // 2)}MB",
        "maintenance_work_mem": f"{max(64, min(512, memory_mb // 16))}MB",
        "work_mem": "16MB",
        "huge_pages": "off",
    }
    # Docker gives 64 MB of shared memory, in which a parallel index build fails; files in the data directory do.
    if _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).total < 1024 * _MB:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def _durability() -> dict[str, str]:
    """Acknowledged means durable: the first three are defaults, and no file in the data directory may weaken them."""
    return {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_wal_size": "512MB",
        "min_wal_size": "80MB",
        "wal_level": "minimal",
        "max_wal_senders": "0",
    }


def _quietness() -> dict[str, str]:
    """What users remember must not reach a log: errors quote values, so none of a client's is written."""
    return {
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        # Start, stop and crashes, but neither ERROR nor WARNING.
        "log_min_messages": "log",
        # Without DETAIL, where a crash quotes the statement that ran.
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_connections": "",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
    }

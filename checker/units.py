"""Durations and sizes as people write them: `90s`, `5m`, `2G`; the same in options and in settings."""

from __future__ import annotations

import re

_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def bytes_of(text: str) -> int:
    """Bytes, written as a number with K, M, G or T (powers of 1024); raises ValueError for anything below 1M."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(?:i?b)?", text.strip().lower(), re.ASCII)
    size = int(float(match[1]) * _BYTES[match[2]]) if match else 0
    if size < 1 << 20:
        raise ValueError(f"`{text}` is not a size of at least 1M, such as 512M or 4G")
    return size


def seconds_of(text: str) -> float:
    """Seconds, written as a number, with s, m or h if need be; raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|m|min|h|)", text.strip().lower(), re.ASCII)
    length = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if length <= 0:
        raise ValueError(f"`{text}` is not a time, such as 30, 90s, 5m or 2h")
    return length

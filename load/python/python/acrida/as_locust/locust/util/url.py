"""What is a URL."""

from urllib.parse import urlsplit


def is_url(url: str) -> bool:
    """Whether it names a host by http or https."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)

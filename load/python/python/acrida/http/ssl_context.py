"""What can be known of an OpenSSL context that a locustfile makes: whom it trusts, and who it is.

TLS is spoken natively, so of a context only its choice of authorities and its certificate are taken over.
"""

from __future__ import annotations

import atexit
import os
import shutil
import ssl
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any


def choice_of(make_context: Callable[[], Any]) -> tuple[Any, Any]:
    """``verify=`` and ``cert=`` that stand for the context that ``make_context`` makes.

    What that raises is raised here.
    """
    with _noted_certificates() as certificates:
        context = make_context()
    cert = certificates[-1] if certificates else None
    if context.verify_mode == ssl.CERT_NONE:
        return False, cert
    authorities = tuple(sorted(context.get_ca_certs(binary_form=True)))
    return (_file_with(authorities) if authorities else True), cert


@contextmanager
def _noted_certificates() -> Generator[list[Any], None, None]:
    """Gathers what contexts load in the block as their own certificate, which they do not tell later."""
    noted: list[Any] = []
    load = ssl.SSLContext.load_cert_chain

    def load_and_note(context: Any, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        load(context, certfile, keyfile, password)
        noted.append((certfile, keyfile or certfile))

    ssl.SSLContext.load_cert_chain = load_and_note  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        ssl.SSLContext.load_cert_chain = load  # type: ignore[method-assign]


@cache
def _file_with(certificates: tuple[bytes, ...]) -> str:
    """A file with these certificates, there until the process ends."""
    folder = tempfile.mkdtemp(prefix="acrida-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "authorities.pem")
    with open(path, "w") as file:
        file.writelines(ssl.DER_cert_to_PEM_cert(certificate) for certificate in certificates)
    return path

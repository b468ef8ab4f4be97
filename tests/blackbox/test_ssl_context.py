"""``ssl_context_factory`` of FastHttpUser, on acrida and on Locust."""

from __future__ import annotations

from pathlib import Path

from programs import said
from support import Program

SERVER = """
    import ssl
    from gevent.pywsgi import WSGIServer
    from locust import FastHttpUser
    folder = sys.argv[2] + "/"

    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"x"]

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder + "server.pem", folder + "server.key")
    context.load_verify_locations(folder + "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = WSGIServer(("127.0.0.1", 0), application, log=None, error_log=None, ssl_context=context)
    server.start()

    def attempt(insecure=False, **changes):
        def make():
            context = ssl.create_default_context()
            for name, value in changes.items():
                if name == "trusts":
                    context.load_verify_locations(folder + value)
                elif name == "is_":
                    context.load_cert_chain(folder + value + ".pem", folder + value + ".key")
                else:
                    setattr(context, name, value)
            return context
        class Some(FastHttpUser):
            host = f"https://localhost:{server.server_port}"
            ssl_context_factory = staticmethod(make)
        Some.insecure = insecure
        say(changes, Some(Environment()).client.get("/").status_code)

    attempt(trusts="server.pem", is_="client")
    attempt(trusts="server.pem")
    attempt(is_="client")
    attempt(trusts="client.pem", is_="client")
    attempt(insecure=True, check_hostname=False, verify_mode=ssl.CERT_NONE, is_="client")
    attempt(insecure=True, check_hostname=False, verify_mode=ssl.CERT_NONE)
    try:
        attempt(check_hostname=True, verify_mode=ssl.CERT_NONE)
    except ValueError as error:
        say(error)
"""


def test_a_context_says_whom_to_trust_and_has_the_users_certificate(
    acrida: Program, locust: Program, certificates: Path
) -> None:
    expected = said(locust, certificates, "-", SERVER, str(certificates))
    assert [line.split()[-1] for line in expected] == ["200", "0", "0", "0", "200", "0", "enabled."]
    assert said(acrida, certificates, "-", SERVER, str(certificates)) == expected

"""The web page as locustfiles reach it: routes of their own, through Flask."""

from __future__ import annotations

import http.client
import importlib.util
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

import gevent

from acrida import _native

from . import stats

if TYPE_CHECKING:
    import flask
    import flask_login

    from .env import Environment
    from .stats import StatsCSV

logger = logging.getLogger(__name__)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
#: The environment variable with the password of ``web_login``.
PASSWORD = "ACRIDA_WEB_PASSWORD"
#: Headers that are said anew with each answer.
_DERIVED_HEADERS = {"connection", "content-length", "date", "transfer-encoding"}


class InputField(TypedDict, total=False):
    """A field of the login page."""

    label: str
    name: str
    type: str | None
    default_value: bool | None
    choices: list[str] | None
    is_multiple: bool | None
    is_secret: bool | None
    is_required: bool | None


class CustomForm(TypedDict, total=False):
    """A form of the login page."""

    inputs: list[InputField] | None
    callback_url: str
    submit_button_text: str | None


class AuthProvider(TypedDict, total=False):
    """Somebody else who logs users in: a button of the login page."""

    label: str | None
    callback_url: str
    icon_url: str | None


class AuthArgs(TypedDict, total=False):
    """What the login page asks for, and says."""

    custom_form: CustomForm
    auth_providers: list[AuthProvider]
    username_password_callback: str
    error: str
    info: str


class WebUI:
    """The page of a run, and the Flask application that a locustfile may put in front of it.

    The application is made when :attr:`app` is asked for the first time. In a run of the command that has to be
    before the page is served: in an ``init`` listener. In a program of one's own there always is one, if Flask is
    installed. It sees every request but those for the page's own scripts and live figures, so ``before_request``
    and ``after_request`` work for the page's routes too.
    """

    def __init__(
        self,
        environment: Environment,
        host: str,
        port: int,
        web_login: bool = False,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        stats_csv_writer: StatsCSV | None = None,
        delayed_start: bool = False,
        userclass_picker_is_active: bool = False,
        build_path: str | None = None,
        web_base_path: str | None = None,
    ) -> None:
        """Takes the port, and serves the page as soon as other greenlets run; with ``delayed_start`` both happen in
        ``start``. Without ``host`` the page is there for this machine alone. ``build_path`` has no effect: the
        page's files are not exchanged. OSError if the port is in use."""
        self.environment = environment
        self.host: str = host
        self.port: int = port
        self.web_base_path: str = web_base_path or ""
        self.web_login: bool = web_login
        self.tls_cert: str | None = tls_cert
        self.tls_key: str | None = tls_key
        self.stats_csv_writer = stats_csv_writer
        self.userclass_picker_is_active: bool = userclass_picker_is_active
        #: Laid over what the page knows itself when it is rendered.
        self.template_args: dict[str, Any] = {}
        #: What the login page asks for, with ``--web-login`` and a ``login_manager`` of the locustfile's.
        self.auth_args: AuthArgs = {}
        #: Serves the page in a program of one's own; its ``server_port`` is the port.
        self.server: WebServer | None = None
        self._application: Any = None
        self._served = False
        if not delayed_start:
            self.start()

    @cached_property
    def app(self) -> flask.Flask:
        """The application; its routes come before those of the page."""
        self._check("app")
        flask = self._flask
        app = flask.Flask("locust", static_folder=None)
        app.jinja_env.add_extension("jinja2.ext.do")
        app.jinja_loader = _required("jinja2", "Flask").FunctionLoader(self._template)
        app.add_template_filter(self._rendered, "as_page")
        page = flask.Blueprint("locust", "locust", url_prefix=self.web_base_path or None)
        page.add_url_rule("/", "index", self.auth_required_if_enabled(self._index))
        page.add_url_rule("/login", "login", self._login, methods=METHODS)
        page.add_url_rule("/<path:path>", "page", self.auth_required_if_enabled(self._forward), methods=METHODS)
        app.register_blueprint(page)
        return app

    @cached_property
    def login_manager(self) -> flask_login.LoginManager:
        """Who may see the page; only with ``--web-login``."""
        if not self.web_login:
            raise AttributeError("The login_manager is only available with --web-login.\n")
        self._check("login_manager")
        manager = _required("flask_login", "flask-login").LoginManager()
        manager.init_app(self.app)
        manager.login_view = "locust.login"
        return manager

    def auth_required_if_enabled(self, view_func: Callable[..., Any]) -> Callable[..., Any]:
        """Lets only those see a view who have logged in, with ``--web-login``."""

        @wraps(view_func)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not self._logs_in:
                return view_func(*args, **kwargs)
            session = self._flask.session
            session["auth_error"] = session["auth_info"] = None
            return _required("flask_login", "flask-login").login_required(view_func)(*args, **kwargs)

        return guarded

    def update_template_args(self) -> None:
        """Fetches what the page knows itself into :attr:`template_args`."""
        response = self._ask("GET", "/extension/arguments")
        self.template_args = {**self.template_args, **response.get_json()}

    def serve(self) -> tuple[str, bool] | None:
        """Begins to serve the application, if there is one.

        Returns the folder of its socket, and whether it logs people in itself.
        """
        self._served = True
        if "app" not in vars(self):
            return None
        from gevent import pywsgi

        self._folder = tempfile.mkdtemp(prefix="acrida-")  # for this user alone
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(self._folder, "flask.sock"))
        listener.listen()
        listener.setblocking(False)
        self._application = pywsgi.WSGIServer(listener, self.app, log=None, error_log=logger)
        self._application.start()
        return self._folder, self._logs_in

    def start(self) -> None:
        """Serves the page, in a program of one's own."""
        self.server = WebServer(self)
        gevent.spawn(self.server.start)

    def stop(self) -> None:
        """Ends the page of a program of one's own, and the application."""
        if self.server is not None:
            self.server.stop()
        if self._application is not None:
            self._application.stop(timeout=1)
            shutil.rmtree(self._folder, ignore_errors=True)

    @cached_property
    def _flask(self) -> Any:
        return _required("flask", "Flask")

    @property
    def _logs_in(self) -> bool:
        return "login_manager" in vars(self)

    def may_log_in(self) -> bool:
        """Whether somebody can log in at all, if anybody has to."""
        return not self.web_login or self._logs_in or bool(os.environ.get(PASSWORD))

    def _check(self, name: str) -> None:
        if self._served:
            raise RuntimeError(
                f"environment.web_ui.{name} is asked for after the page was served; ask for it in an init listener"
            )

    def _index(self) -> Any:
        return self._ask("POST", "/extension/page", self.template_args)

    def _login(self) -> Any:
        if not self._logs_in:
            return self._forward()
        session = self._flask.session
        told = {"error": session.get("auth_error"), "info": session.get("auth_info")}
        return self._ask("POST", "/extension/login", {**self.auth_args, **told})

    def _forward(self, path: str = "") -> Any:
        """What the page answers without the locustfile."""
        request = self._flask.request
        query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
        headers = {name: value for name, value in request.headers if name.lower() not in _DERIVED_HEADERS}
        return self._fetch(request.method, quote(request.path) + query, request.get_data(), headers)

    def _ask(self, method: str, path: str, value: Any = None) -> Any:
        body = self._flask.json.dumps(value).encode() if value is not None else b""
        return self._fetch(method, path, body, {"Content-Type": "application/json", "Host": "localhost"})

    def _fetch(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        connection = _PageConnection(os.path.join(self._folder, "page.sock"))
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _DERIVED_HEADERS]
            return self._flask.Response(answer.read(), answer.status, kept)
        finally:
            connection.close()

    def _template(self, name: str) -> str | None:
        """Locust's templates: the page, and the login page."""
        pages = {"index.html": "/extension/page", "auth.html": "/extension/login"}
        if name not in pages:
            return _file_of(self.app, name)
        arguments = "template_args" if name == "index.html" else "auth_args"
        return f"{{{{ {arguments} | as_page('{pages[name]}') }}}}"

    def _rendered(self, arguments: dict[str, Any], path: str) -> Any:
        return _required("markupsafe", "Flask").Markup(self._ask("POST", path, arguments).get_data(as_text=True))


class WebServer:
    """Serves the page in a program of one's own."""

    def __init__(self, web_ui: WebUI) -> None:
        self._web_ui = web_ui
        options = web_ui.environment.parsed_options
        settings = {} if options is None else vars(options)
        self._native = _native.WebPage(self._words(settings), settings)
        self.server_host = web_ui.host
        self.server_port: int = self._native.port

    def _words(self, settings: dict[str, Any]) -> list[str]:
        """The flags of the command that ask for the same page."""
        web_ui, writer = self._web_ui, self._web_ui.stats_csv_writer
        full_history = getattr(writer, "full_history", False)
        values = {
            "web-host": web_ui.host,
            "web-port": web_ui.port,
            "web-base-path": web_ui.web_base_path,
            "tls-cert": web_ui.tls_cert,
            "tls-key": web_ui.tls_key,
            "csv": full_history and writer.base_filepath,
            "host": web_ui.environment.host or settings.get("host"),
            "users": settings.get("num_users"),
            "spawn-rate": settings.get("spawn_rate"),
            "run-time": settings.get("run_time"),
        }
        switches = {
            "web-login": web_ui.web_login,
            "class-picker": web_ui.userclass_picker_is_active,
            "csv-full-history": full_history,
        }
        # 0 is a value: any free port, and no users.
        said = {flag: value for flag, value in values.items() if value or type(value) is int}
        return [f"--{flag}={value}" for flag, value in said.items()] + [f"--{flag}" for flag in switches if switches[flag]]

    def start(self) -> None:
        """Serves it; says in the log what is in the way."""
        web_ui, environment = self._web_ui, self._web_ui.environment
        if environment.runner is None:
            logger.error("The web page needs a runner: call environment.create_local_runner()")
            return
        if not web_ui.may_log_in():
            logger.error("web_login: set the environment variable %s, or log people in by web_ui.login_manager", PASSWORD)
            return
        if importlib.util.find_spec("flask"):
            web_ui.app  # noqa: B018 - makes it
        environment.runner.prepare()
        environment.engine.publish(environment.user_classes)
        url = self._native.serve(
            environment.engine,
            environment.locustfile or "",
            [environment.shape_class] if environment.shape_class else [],
            (stats.PERCENTILES_TO_REPORT, stats.PERCENTILES_TO_CHART, stats.PERCENTILES_TO_STATISTICS),
            web_ui.serve(),
        )
        logger.info("Starting web interface at %s", url)

    def stop(self) -> None:
        """Ends it."""
        self._native.stop()


class _PageConnection(http.client.HTTPConnection):
    """To the page, by its socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _file_of(app: flask.Flask, name: str) -> str | None:
    """A template of the locustfile's own, from ``app.template_folder``."""
    folder = os.path.join(app.root_path, app.template_folder or "")
    path = os.path.realpath(os.path.join(folder, name))
    if os.path.commonpath([path, os.path.realpath(folder)]) != os.path.realpath(folder) or not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read()


def _required(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"environment.web_ui needs {package}, which is not installed here; pip install {package}", name=module
        ) from error

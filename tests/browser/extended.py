"""A locustfile that extends the web page, as Locust's manual shows it."""

import json
from collections import Counter

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from flask_login import UserMixin, login_user
from locust import HttpUser, constant, events, task

lengths: Counter = Counter()
pages = Blueprint("extend", "extend_web_ui")


class Visitor(HttpUser):
    wait_time = constant(0.05)

    @task
    def health(self):
        self.client.get("/health")


class Person(UserMixin):
    id = "ada"


@events.request.add_listener
def add(name, response_length, **_):
    lengths[name] += response_length


def rows():
    return [{"name": name, "content_length": length} for name, length in lengths.items()]


@events.init.add_listener
def extend(environment, web_ui, **_):
    if not environment.web_ui:
        return
    assert web_ui is environment.web_ui
    app = web_ui.app
    if web_ui.web_login:
        app.config["SECRET_KEY"] = "only for this test"
        web_ui.login_manager.user_loader(lambda name: Person() if name == "ada" else None)
        web_ui.auth_args = {"username_password_callback": "/enter"}

    @app.route("/added_page")
    @web_ui.auth_required_if_enabled
    def added():
        return "Added <b>here</b>"

    @app.after_request
    def add_rows(response):
        if request.path == "/stats/requests" and response.is_json:
            own = [{"key": "content-length", "data": rows()}]
            response.set_data(json.dumps({**response.json, "extended_stats": own}))
        return response

    @pages.route("/extend")
    @web_ui.auth_required_if_enabled
    def page():
        web_ui.update_template_args()
        structure = [{"key": "name", "title": "Name"}, {"key": "content_length", "title": "Total content length"}]
        web_ui.template_args["extended_tabs"] = [{"title": "Content Length", "key": "content-length"}]
        web_ui.template_args["extended_tables"] = [{"key": "content-length", "structure": structure}]
        web_ui.template_args["extended_csv_files"] = [{"href": "/content-length/csv", "title": "Content lengths (CSV)"}]
        return render_template("index.html", template_args=web_ui.template_args)

    @pages.route("/content-length/csv")
    def file():
        lines = [f"{row['name']},{row['content_length']}" for row in rows()]
        answer = make_response("\n".join(["Name,Total content length", *lines]))
        answer.headers["Content-Type"] = "text/csv"
        return answer

    @pages.route("/enter", methods=["POST"])
    def enter():
        if request.form.get("username") == "ada" and request.form.get("password") == "lovelace":
            login_user(Person())
            return redirect(url_for("locust.index"))
        session["auth_error"] = "Nobody goes by that name and password"
        return redirect(url_for("locust.login"))

    app.register_blueprint(pages)

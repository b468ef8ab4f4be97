"""A locustfile with much to choose from: classes, shapes, and arguments of its own."""

from locust import HttpUser, LoadTestShape, constant, events, task


@events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--dataset", choices=["small", "large"], default="small", help="Which images are sent")
    parser.add_argument("--api-key", default="s3cr3t", is_secret=True, help="Who is asking")
    parser.add_argument("--retries", type=int, default=2, help="Tries of each request")
    parser.add_argument("--verbose", action="store_true", help="Say more")
    parser.add_argument("--hidden", default="x", include_in_web_ui=False)


class Base(HttpUser):
    abstract = True
    wait_time = constant(0.1)

    @task
    def look(self):
        options = self.environment.parsed_options
        name = f"/{type(self).__name__}/{options.dataset}/{options.retries}/{options.verbose}"
        self.client.get("/health", name=name)


class Reader(Base):
    pass


class Writer(Base):
    pass


class Two(LoadTestShape):
    def tick(self):
        return (2, 10) if self.get_run_time() < 60 else None


class Three(LoadTestShape):
    def tick(self):
        return (3, 10) if self.get_run_time() < 60 else None

from acrida.as_locust.locust.util.load_locustfile import *

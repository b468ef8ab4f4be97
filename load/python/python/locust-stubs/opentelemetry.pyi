from acrida.as_locust.locust.opentelemetry import *

from acrida.as_locust.locust.web import *

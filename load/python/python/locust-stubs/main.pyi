from acrida.as_locust.locust.main import *

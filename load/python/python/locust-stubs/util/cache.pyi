from acrida.as_locust.locust.util.cache import *

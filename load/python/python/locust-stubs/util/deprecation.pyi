from acrida.as_locust.locust.util.deprecation import *

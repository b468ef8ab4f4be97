from acrida.as_locust.locust.util.exception_handler import *

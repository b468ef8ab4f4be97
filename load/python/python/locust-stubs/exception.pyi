from acrida.as_locust.locust.exception import *

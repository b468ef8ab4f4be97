from acrida.as_locust.locust.dispatch import *

from acrida.as_locust.locust.shape import *

from acrida.as_locust.locust.runners import *

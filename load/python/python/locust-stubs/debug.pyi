from acrida.as_locust.locust.debug import *

from acrida.as_locust.locust.log import *

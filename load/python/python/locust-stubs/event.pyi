from acrida.as_locust.locust.event import *

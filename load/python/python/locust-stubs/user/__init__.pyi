from acrida.as_locust.locust.user import *

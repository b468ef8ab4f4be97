from acrida.as_locust.locust.env import *

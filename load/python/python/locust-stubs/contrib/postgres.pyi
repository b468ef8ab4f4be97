from acrida.as_locust.locust.contrib.postgres import *

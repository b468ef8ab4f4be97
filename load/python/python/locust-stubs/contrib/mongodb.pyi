from acrida.as_locust.locust.contrib.mongodb import *

from acrida.as_locust.locust.contrib.fasthttp import *

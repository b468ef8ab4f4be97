from acrida.as_locust.locust.util.url import *

from acrida.as_locust.locust.util.date import *

from acrida.as_locust.locust.util.rounding import *

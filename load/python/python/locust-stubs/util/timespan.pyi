from acrida.as_locust.locust.util.timespan import *

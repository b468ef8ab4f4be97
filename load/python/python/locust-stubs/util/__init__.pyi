from acrida.as_locust.locust.util import *

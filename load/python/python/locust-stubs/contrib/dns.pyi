from acrida.as_locust.locust.contrib.dns import *

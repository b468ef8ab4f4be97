from acrida.as_locust.locust.contrib.oai import *

from acrida.as_locust.locust.contrib.qdrant import *

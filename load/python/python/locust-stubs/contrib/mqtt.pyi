from acrida.as_locust.locust.contrib.mqtt import *

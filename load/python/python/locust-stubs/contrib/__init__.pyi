from acrida.as_locust.locust.contrib import *

from acrida.as_locust.locust.html import *

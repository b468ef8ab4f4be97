from acrida.as_locust.locust.user.wait_time import *

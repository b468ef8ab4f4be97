from acrida.as_locust.locust.user.task import *

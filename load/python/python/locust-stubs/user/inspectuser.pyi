from acrida.as_locust.locust.user.inspectuser import *

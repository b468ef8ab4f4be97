from acrida.as_locust.locust.rpc import *

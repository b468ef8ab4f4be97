from acrida.as_locust.locust.rpc.protocol import *

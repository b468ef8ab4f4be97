from acrida.as_locust.locust.argument_parser import *

from acrida.as_locust.locust.util.directory import *

from acrida.as_locust.locust.user.sequential_taskset import *

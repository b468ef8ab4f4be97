from acrida.as_locust.locust.user.markov_taskset import *

from acrida.as_locust.locust.contrib.csv_request_logger import *

from acrida.as_locust.locust.contrib.milvus import *

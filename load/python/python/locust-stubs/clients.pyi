from acrida.as_locust.locust.clients import *
from acrida.as_locust.locust.response_context import ResponseContextManager as ResponseContextManager

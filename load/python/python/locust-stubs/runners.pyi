from acrida.as_locust.locust.dispatch import UsersDispatcher as UsersDispatcher
from acrida.as_locust.locust.exception import RPCError as RPCError
from acrida.as_locust.locust.exception import RPCReceiveError as RPCReceiveError
from acrida.as_locust.locust.exception import RPCSendError as RPCSendError
from acrida.as_locust.locust.runners import *

from acrida.as_locust.locust.dispatch import UsersDispatcher as UsersDispatcher
from acrida.as_locust.locust.env import *
from acrida.as_locust.locust.runners import LocalRunner as LocalRunner
from acrida.as_locust.locust.runners import MasterRunner as MasterRunner
from acrida.as_locust.locust.runners import Runner as Runner
from acrida.as_locust.locust.runners import WorkerRunner as WorkerRunner

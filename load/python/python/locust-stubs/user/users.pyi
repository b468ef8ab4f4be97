from acrida.as_locust.locust.user.pytest_user import PytestUser as PytestUser
from acrida.as_locust.locust.user.users import *

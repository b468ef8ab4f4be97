from acrida.as_locust.locust.contrib.socketio import *

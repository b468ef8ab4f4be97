from acrida.as_locust.locust.stats import *
from acrida.as_locust.locust.stats_csv import StatsCSV as StatsCSV
from acrida.as_locust.locust.stats_csv import StatsCSVFileWriter as StatsCSVFileWriter
from acrida.as_locust.locust.stats_entry import CachedResponseTimes as CachedResponseTimes
from acrida.as_locust.locust.stats_entry import StatsEntry as StatsEntry
from acrida.as_locust.locust.stats_error import StatsError as StatsError

"""What people write in Python today: pandas rows into redis-py pipelines. Arguments: file, port."""
import sys

import pandas
import redis

path, port = sys.argv[1], int(sys.argv[2])
client = redis.Redis(port=port)
pipeline = client.pipeline(transaction=False)
for number, row in enumerate(pandas.read_csv(path).to_dict("records"), 1):
    key = f"features:user:{row.pop('user_id')}"
    pipeline.hset(key, mapping={name: value for name, value in row.items() if value == value})
    pipeline.expire(key, 86400)
    if number % 1000 == 0:
        pipeline.execute()
pipeline.execute()

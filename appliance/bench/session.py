"""ONNX Runtime's own Python on a model file: crops per second, for comparison with the appliance.

Arguments: the model and how many threads bring batches. A line "BATCH SECONDS" on standard input is answered
with the crops per second and per second of CPU time; the first line of the output is the version of ONNX Runtime.
"""

import sys
import threading
import time

import numpy
import onnxruntime

path, threads = sys.argv[1], int(sys.argv[2])
options = onnxruntime.SessionOptions()
# As the appliance sets them: the work is divided over batches, and no thread spins while it waits.
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
options.add_session_config_entry("session.inter_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
shape = session.get_inputs()[0].shape[1:]


name = session.get_inputs()[0].name


def work(pixels, seconds, done):
    crops, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        session.run(None, {name: pixels})
        crops += len(pixels)
    done.append((crops, crops / (time.perf_counter() - began)))


print(onnxruntime.__version__, flush=True)
for line in sys.stdin:
    batch, seconds = line.split()
    values = numpy.arange(int(batch) * numpy.prod(shape)) * 7 % 256
    pixels = values.astype(numpy.uint8).reshape(int(batch), *shape)
    session.run(None, {name: pixels})  # sizes the runtime's memory and is not counted
    done = []
    workers = [threading.Thread(target=work, args=(pixels, float(seconds), done)) for _ in range(threads)]
    cpu = time.process_time()
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    cpu = time.process_time() - cpu
    if len(done) < threads:
        sys.exit("a batch failed")
    print(sum(rate for _, rate in done), sum(crops for crops, _ in done) / cpu, flush=True)

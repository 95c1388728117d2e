/**
 * A thread of a worker process that ends it when its parent is gone. The main thread sees the closed channel only between two calls of native code, and
 * such a call may never return. No signal tells of a parent's death here; on POSIX systems an orphan gets another parent.
 */
import { workerData } from 'node:worker_threads'

const everyMs = 1_000

setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL')
}, everyMs)

/** Entry of a worker process; its one argument is a `WorkerOptions` as JSON. */
import { runWorker } from './run-worker.ts'

await runWorker(JSON.parse(process.argv[2] ?? ''))

/** Starts a worker with its own standard output, says so there when the worker is ready, and waits to be killed. */
import { fork } from 'node:child_process'
import { join } from 'node:path'

const child = fork(join(import.meta.dirname, 'worker.js'), [process.argv[2] ?? ''], {
  serialization: 'advanced',
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
})
child.once('message', (message) => process.stdout.write(`${JSON.stringify(message)}\n`))

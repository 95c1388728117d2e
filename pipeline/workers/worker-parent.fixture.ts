/**
 * A parent to be killed: `node worker-parent.fixture.js ENTRY OPTIONS [TEXT]` starts a worker with its own standard output and has it read TEXT when it is
 * ready, or says there that it is.
 */
import { fork } from 'node:child_process'
import type { Read } from './protocol.ts'

const [entry = '', options = '', text] = process.argv.slice(2)
const child = fork(entry, [options], {
  serialization: 'advanced',
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
})
child.once('message', (message) => {
  if (text === undefined) process.stdout.write(`${JSON.stringify(message)}\n`)
  else child.send({ type: 'read', job: 0, texts: [{ title: '', text }] } satisfies Read)
})

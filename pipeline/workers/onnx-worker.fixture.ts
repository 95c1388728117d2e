/**
 * The real worker, with texts that can end it: `crash` kills the process that reads it, `crash-once:FILE` too, unless the file is there, and makes it,
 * `hang` prints that it does and blocks it for ever, as native code could, `fail` makes the job throw.
 */
import { existsSync, writeFileSync, writeSync } from 'node:fs'
import { runWorker } from './run-worker.ts'

const crash = () => process.kill(process.pid, 'SIGKILL')

function obey(text: string): void {
  const [verb, file = ''] = text.split(':')
  if (verb === 'crash') crash()
  if (verb === 'crash-once' && !existsSync(file)) {
    writeFileSync(file, '')
    crash()
  }
  if (verb === 'hang') {
    writeSync(process.stdout.fd, 'hangs\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
  if (verb === 'fail') throw new Error('a text says so')
}

await runWorker(JSON.parse(process.argv[2] ?? ''), {
  onJob: ({ texts }) => {
    for (const { text } of texts) obey(text)
  },
})

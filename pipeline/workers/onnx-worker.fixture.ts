/**
 * The real worker, with texts that can end it: `crash` kills the process that reads it, `crash-once:FILE` too, unless the file is there, and makes it,
 * `hang` blocks it for ever, as native code could, `fail` makes the job throw.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { runWorker } from './run-worker.ts'

const crash = () => process.kill(process.pid, 'SIGKILL')

function obey(text: string): void {
  const [verb, file = ''] = text.split(':')
  if (verb === 'crash') crash()
  if (verb === 'crash-once' && !existsSync(file)) {
    writeFileSync(file, '')
    crash()
  }
  if (verb === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  if (verb === 'fail') throw new Error('a text says so')
}

await runWorker(JSON.parse(process.argv[2] ?? ''), {
  onJob: ({ texts }) => {
    for (const { text } of texts) obey(text)
  },
})

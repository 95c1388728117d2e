/** A worker whose texts can end it: `crash` kills the process that reads it, `fail` makes the job throw. */
import { runWorker } from './run-worker.ts'

await runWorker(JSON.parse(process.argv[2] ?? ''), {
  onJob({ texts }) {
    if (texts.some(({ text }) => text === 'crash')) process.kill(process.pid, 'SIGKILL')
    if (texts.some(({ text }) => text === 'fail')) throw new Error('a text says so')
  },
})
